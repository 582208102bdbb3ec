"""golanes record: that the program notices nothing, and that everything is in the file or counted."""
import os
import pty
import resource
import select
import signal
import subprocess
import sys

from harness import CHECK, EMITTER, GOLANES, Case, main  # noqa: F401


class Transparency(Case):
    def test_exit_status_and_streams(self):
        code, out, err = self.record('-o', 'run.lanes', '--', EMITTER, 'events', 100, 'print', 'exit', 7)
        self.assertEqual((code, out), (7, 'done 5050\n'))
        self.assertRegex(err, r'^golanes: run\.lanes: 10\d events in .*\n$')
        self.whole(self.check(), 1, 100)

    def test_quiet_says_nothing(self):
        self.assertEqual(self.record('-q', '-o', 'run.lanes', EMITTER), (0, '', ''))

    def test_options_after_the_program_are_its_own(self):
        code, out, _ = self.record('-q', '-o', 'run.lanes', 'printf', '%s|', '-o', '--help', '-q')
        self.assertEqual((code, out), (0, '-o|--help|-q|'))

    def test_standard_input_passes_through(self):
        code, out, _ = self.record('-q', '-o', 'run.lanes', '--', 'cat', data=b'x' * 100000)
        self.assertEqual((code, out), (0, 'x' * 100000))

    def test_death_by_a_signal(self):
        for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGQUIT, signal.SIGABRT, signal.SIGPIPE, signal.SIGUSR1):
            code, _, _ = self.record('-q', '-f', '-o', 'run.lanes', '--', EMITTER, 'events', 50, 'signal', int(number))
            self.assertEqual(code, -number)
            self.whole(self.check(), 1, 50)
        # A sanitizer makes faults exits of its own; the shell has none.
        self.assertEqual(self.record('-q', '-f', '-o', 'run.lanes', 'sh', '-c', 'kill -SEGV $$')[0], -signal.SIGSEGV)
        self.assertEqual([n for n in os.listdir(self.dir) if n.startswith('core')], [])

    def test_signals_are_passed_on(self):
        script = 'trap "echo got; exit 5" USR2; echo ready; while :; do sleep 0.05; done'
        p = self.start(GOLANES, 'record', '-q', '-o', 'run.lanes', '--', 'sh', '-c', script)
        self.assertEqual(p.stdout.readline(), b'ready\n')
        p.send_signal(signal.SIGUSR2)
        out, _ = p.communicate(timeout=60)
        self.assertEqual((out, p.returncode), (b'got\n', 5))

    def test_what_is_ignored_stays_ignored_and_what_is_not_is_not(self):
        script = ['sh', '-c', 'grep -E "^Sig(Ign|Blk)" /proc/self/status']
        for ignored in ((), (signal.SIGPIPE,), (signal.SIGHUP, signal.SIGINT)):
            def prepare(names=ignored):
                for s in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGHUP, signal.SIGINT):
                    signal.signal(s, signal.SIG_IGN if s in names else signal.SIG_DFL)
            plain = self.run_words(*script, preexec_fn=prepare)
            self.assertEqual(self.record('-q', '-f', '-o', 'run.lanes', '--', *script, preexec_fn=prepare), plain)

    def test_descriptors_and_environment_are_the_program_s(self):
        script = ['sh', '-c', 'ls /proc/self/fd | wc -l; env | grep -v -e ^_= -e GOLANES_RING_FD | sort']
        plain = self.run_words(*script)[1].split('\n', 1)
        recorded = self.record('-q', '-o', 'run.lanes', '--', *script)[1].split('\n', 1)
        self.assertEqual(recorded[1], plain[1])
        self.assertEqual(int(recorded[0]), int(plain[0]) + 1, 'only the rings are inherited')

    def test_program_that_cannot_be_started(self):
        code, _, err = self.record('./none')
        self.assertEqual((code, err), (127, "golanes: ./none can't be started: No such file or directory\n"))
        with open(self.path('data'), 'w', encoding='utf-8'):
            pass
        code, _, err = self.record('./data')
        self.assertEqual((code, err), (126, "golanes: ./data can't be started: Permission denied\n"))
        self.assertEqual(os.listdir(self.dir), ['data'])

    def test_program_without_golanes(self):
        code, _, err = self.record('true')
        self.assertEqual(code, 0)
        self.assertIn('the program does not use golanes', err)

    def test_a_shell_between(self):
        code, _, _ = self.record('-q', '-o', 'run.lanes', 'sh', '-c', f'{EMITTER} events 300; exit 3')
        self.assertEqual(code, 3)
        self.whole(self.check(), 1, 300)


class JobControl(Case):
    """A shell with job control in a terminal of its own; its jobs are recordings."""

    rest = b''

    def read_until(self, fd, text):
        """What came up to the text and with it; what came behind it is kept for the next call."""
        seen = self.rest
        while text not in seen:
            self.assertTrue(select.select([fd], [], [], 60)[0], f'{text!r} did not come: {seen!r}')
            try:
                got = os.read(fd, 4096)
            except OSError:
                got = b''
            self.assertTrue(got, f'{text!r} did not come: {seen!r}')
            seen += got
        end = seen.index(text) + len(text)
        self.rest = seen[end:]
        return seen[:end]

    def test_stop_and_continue(self):
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(self.dir)
            os.environ['PS1'] = 'READY> '
            os.execlp('bash', 'bash', '--norc', '--noprofile', '-i')
        self.addCleanup(os.close, fd)
        self.read_until(fd, b'READY> ')
        os.write(fd, f'{GOLANES} record -o run.lanes cat\n'.encode())
        self.wait_for(lambda: any(self.children(c) for c in self.children(pid)), 'cat did not start')
        os.write(fd, b'one\n')
        self.read_until(fd, b'one\r\none\r\n')
        os.write(fd, b'\x1a')
        self.read_until(fd, b'Stopped')
        os.write(fd, b'echo a$((1+1))b\n')
        self.read_until(fd, b'a2b')
        self.read_until(fd, b'READY> ')
        os.write(fd, b'fg\n')
        self.read_until(fd, b'record -o run.lanes cat\r\n')
        os.write(fd, b'two\n')
        self.read_until(fd, b'two\r\ntwo\r\n')
        os.write(fd, b'\x03')
        self.read_until(fd, b'READY> ')
        os.write(fd, b'echo status $?\n')
        self.read_until(fd, b'status 130')
        os.write(fd, b'exit\n')
        os.waitpid(pid, 0)

    def test_status_line_on_a_terminal(self):
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(self.dir)
            os.execl(GOLANES, GOLANES, 'record', '-o', 'run.lanes', EMITTER, 'events', '1500', 'rate', '1000')
        self.addCleanup(os.close, fd)
        seen = self.read_until(fd, b'run.lanes:')
        self.assertRegex(seen.decode(), r'recording .* events  .*/s')
        os.waitpid(pid, 0)


class Files(Case):
    def test_default_name_overwrites_nothing(self):
        for _ in range(3):
            self.assertEqual(self.record('-q', EMITTER)[0], 0)
        self.assertEqual(sorted(os.listdir(self.dir)),
                         ['tracer_emitter-2.lanes', 'tracer_emitter-3.lanes', 'tracer_emitter.lanes'])

    def test_a_file_that_exists_is_kept(self):
        with open(self.path(), 'w', encoding='utf-8') as f:
            f.write('dear')
        code, out, err = self.record('-o', 'run.lanes', EMITTER, 'print')
        self.assertEqual((code, out, err), (4, '', 'golanes: run.lanes exists; --force overwrites it\n'))
        with open(self.path(), encoding='utf-8') as f:
            self.assertEqual(f.read(), 'dear')
        self.assertEqual(self.record('-q', '-f', '-o', 'run.lanes', EMITTER)[0], 0)
        self.whole(self.check(), 1, 1000)

    def test_a_folder_that_is_not_there(self):
        code, out, err = self.record('-o', 'no/run.lanes', EMITTER, 'print')
        self.assertEqual((code, out), (4, ''))
        self.assertEqual(err, "golanes: no/run.lanes can't be created: No such file or directory\n")

    def test_a_file_size_limit(self):
        p = self.start(GOLANES, 'record', '-o', 'run.lanes', EMITTER, 'stacks', 'events', 100000, 'wait', 'print',
                       stdin=subprocess.PIPE)
        self.wait_for(lambda: self.children(p.pid), 'the program did not start')
        resource.prlimit(p.pid, resource.RLIMIT_FSIZE, (4096, 4096))
        out, err = p.communicate(b'x', timeout=60)
        self.assertEqual((p.returncode, out), (4, b'done 5000050000\n'))
        self.assertRegex(err.decode(), r'^golanes: run.lanes: Cannot write .*: File too large\. .*\n$')
        self.check()

    def test_a_reader_that_goes_away(self):
        os.mkfifo(self.path('pipe'))
        p = self.start(GOLANES, 'record', '-o', 'pipe', EMITTER, 'events', 20000, 'rate', 20000, 'print', 'exit', 3)
        with open(self.path('pipe'), 'rb') as f:
            self.assertTrue(f.read(8))
        out, err = p.communicate(timeout=60)
        self.assertEqual((p.returncode, out), (3, b'done 200010000\n'))
        self.assertIn(b'Broken pipe', err)

    def test_a_growing_file_can_be_read(self):
        p = self.start(GOLANES, 'record', '-q', '--flush', '50ms', '-o', 'run.lanes', EMITTER, 'events', 500, 'linger', 60000)

        def complete():
            got = subprocess.run([CHECK, self.path()], stdout=subprocess.PIPE, check=False).stdout
            return b'numbered 500\n' in got
        self.wait_for(complete, 'the events did not get into the file while the program ran')
        self.assertIsNone(p.poll())


class Amounts(Case):
    def test_order_across_threads(self):
        code, _, err = self.record('-q', '-o', 'run.lanes', EMITTER, 'threads', 8, 'events', 5000, 'rate', 20000)
        self.assertEqual((code, err), (0, ''))
        figures = self.check()
        self.whole(figures, 8, 5000)
        self.assertEqual(figures['threads'], 8)

    def test_faster_than_can_be_kept_up_with(self):
        code, _, _ = self.record('-q', '-o', 'run.lanes', EMITTER, 'threads', 3, 'events', 2000000)
        self.assertEqual(code, 0)
        self.whole(self.check(), 3, 2000000)

    def test_block_loses_nothing(self):
        code, _, _ = self.record('-q', '--block', '-o', 'run.lanes', EMITTER, 'threads', 2, 'events', 1000000)
        self.assertEqual(code, 0)
        figures = self.check()
        self.whole(figures, 2, 1000000)
        self.assertEqual(figures['lost'], 0)

    def test_many_threads_at_once(self):
        threads = int(os.environ.get('THREADS', '2000'))
        code, _, _ = self.record('-q', '-o', 'run.lanes', EMITTER, 'threads', threads, 'events', 100, 'rate', 1000)
        if code == 99:
            self.skipTest(f'{threads} threads are not to be had here')
        self.assertEqual(code, 0)
        self.whole(self.check(), threads, 100)

    def test_threads_in_turn(self):
        code, _, _ = self.record('-q', '-o', 'run.lanes', EMITTER, 'churn', 5000, 'events', 10)
        self.assertEqual(code, 0)
        self.whole(self.check(), 5000, 10)

    def test_children(self):
        code, _, _ = self.record('-q', '-o', 'run.lanes', EMITTER, 'fork', 50, 'events', 200)
        self.assertEqual(code, 0)
        figures = self.check()
        self.whole(figures, 50, 200)
        self.assertEqual(figures['processes'], 51)


class Joining(Case):
    def offered(self, *words):
        """A program that can be joined: its library has been loaded."""
        p = self.start(*words)
        fds = f'/proc/{p.pid}/fd'

        def offers():
            try:
                return any(os.readlink(os.path.join(fds, fd)).startswith('/memfd:golanes') for fd in os.listdir(fds))
            except OSError:  # one was closed meanwhile
                return False
        self.wait_for(offers, 'the program offers itself')
        return p

    def test_joins_and_leaves_a_running_program(self):
        p = self.offered(EMITTER, 'events', 100000000, 'rate', 1000)
        r = self.start(GOLANES, 'record', '--flush', '20ms', '-o', 'run.lanes', '--pid', p.pid)
        self.wait_for(lambda: os.path.exists(self.path()) and os.path.getsize(self.path()) > 20000, 'nothing came')
        r.send_signal(signal.SIGINT)
        _, err = r.communicate(timeout=60)
        self.assertEqual(r.returncode, 0, err)
        self.assertIsNone(p.poll())
        r = self.start(GOLANES, 'record', '--flush', '20ms', '-o', 'again.lanes', '--pid', p.pid)
        self.wait_for(lambda: os.path.exists(self.path('again.lanes')) and os.path.getsize(self.path('again.lanes')) > 1500,
                      'no second recording')
        p.kill()
        _, err = r.communicate(timeout=60)
        self.assertEqual(r.returncode, 0, err)
        for name in ('run.lanes', 'again.lanes'):
            got = subprocess.run([GOLANES, 'events', '-c', '-t', 'HeapLive', self.path(name)], stdout=subprocess.PIPE, check=True)
            self.assertGreater(int(got.stdout), 0)

    def test_a_program_that_does_not_offer_itself(self):
        p = self.start('sleep', '60')
        code, _, err = self.record('--pid', p.pid)
        self.assertEqual(code, 3)
        self.assertIn('does not offer itself', err)
        self.assertEqual(os.listdir(self.dir), [])

    def test_to_a_pipe(self):
        p = self.offered(EMITTER, 'events', 2000, 'rate', 1000, 'linger', 200)
        with open(self.path(), 'wb') as f:
            code, _, err = self.record('--pid', p.pid, '-q', '-o', '-', stdout=f)
        self.assertEqual((code, err), (0, ''))
        self.assertGreater(self.check_any('run.lanes'), 0)

    def niceness(self, pid):
        """Of each thread, sorted."""
        found = []
        for tid in os.listdir(f'/proc/{pid}/task'):
            try:
                with open(f'/proc/{pid}/task/{tid}/stat', encoding='ascii') as f:
                    found.append(int(f.read().rpartition(')')[2].split()[16]))
            except OSError:  # it has ended meanwhile
                pass
        return sorted(found)

    def test_the_threads_that_must_not_be_late_are_urgent(self):
        """The one that reads the rings and the one that compresses, which it waits for; and nobody else."""
        usual = os.getpriority(os.PRIO_PROCESS, 0)
        try:
            os.setpriority(os.PRIO_PROCESS, 0, -10)
            os.setpriority(os.PRIO_PROCESS, 0, usual)
        except PermissionError:
            self.skipTest('nobody may be more urgent here')
        p = self.offered(EMITTER, 'events', 200000, 'rate', 1000)
        recorder = self.start(GOLANES, 'record', '--pid', p.pid, '-q', '-o', self.path())
        self.wait_for(lambda: os.getpriority(os.PRIO_PROCESS, recorder.pid) == usual and
                      self.niceness(recorder.pid).count(-10) == 2, 'two urgent threads, and the first is none of them')
        self.assertEqual(set(self.niceness(p.pid)), {usual})

    def check_any(self, name):
        got = subprocess.run([GOLANES, 'events', '-c', self.path(name)], stdout=subprocess.PIPE, check=True)
        return int(got.stdout)


if __name__ == '__main__':
    sys.exit(main())
