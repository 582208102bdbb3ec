#!/usr/bin/env python3
"""Where results go: files, full disks, closed pipes, terminals; and runs that are cut short."""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from harness import Case, DONE, GOLANES, INTERRUPTED, OUTPUT, TERMINATED, V1, V2, long_trace, main, run


class Import(Case):
    def test_the_name_of_the_result(self):
        with open(V2, 'rb') as f:
            data = f.read()
        for name, made in [('a.trace', 'a.lanes'), ('b', 'b.lanes'), ('c.out', 'c.lanes'), ('d.trace.zst', 'd.lanes')]:
            path = self.put(name, data)
            self.golanes('import', path)
            self.assertTrue(os.path.exists(self.path(made)), made)

    def test_what_exists_is_kept_unless_forced(self):
        out = self.put('x.lanes', b'mine')
        self.assert_refused(self.golanes('import', '-o', out, V2, code=OUTPUT), 'exists', '--force')
        with open(out, 'rb') as f:
            self.assertEqual(f.read(), b'mine')
        self.golanes('import', '--force', '-o', out, V2)
        self.assertEqual(self.golanes('events', out).out, self.golanes('events', V2).out)

    def test_one_line_of_result(self):
        r = self.golanes('import', '-o', self.path('x'), V2)
        self.assertRegex(r.err, r'^golanes: \S+: [\d,]+ events, .* -> .*events/s\n$')
        self.assertEqual(r.out, b'')
        self.assertEqual(self.golanes('import', '-q', '-o', self.path('y'), V2).err, '')

    def test_levels_and_threads_change_no_event(self):
        want = self.golanes('events', V2).out
        for i, options in enumerate((['--level', '9'], ['--threads', '0'], ['--threads', '3'])):
            out = self.path(str(i))
            self.golanes('import', '-q', *options, '-o', out, V2)
            self.assertEqual(self.golanes('events', out).out, want)

    def test_a_lanes_file_is_not_imported_again(self):
        lanes = self.lanes(V2)
        self.assert_refused(self.golanes('import', '-o', self.path('y'), lanes, code=3), 'already')

    def test_a_full_disk_is_said_and_what_was_written_is_kept(self):
        trace = self.put('long.trace', long_trace(3000000))
        lanes = self.path('whole.lanes')
        self.golanes('import', '-q', '-o', lanes, trace)
        size = os.path.getsize(lanes)
        out = self.path('cut.lanes')
        r = self.golanes('import', '-o', out, trace, code=OUTPUT, fsize=size // 2)
        self.assertIn(out, r.err)
        self.assertRegex(r.err, 'could not be written')
        r = self.golanes('events', '--count', out)
        self.assertGreater(int(r.out), 0)
        self.assertLess(int(r.out), 3000000)
        self.golanes('events', '--count', '--strict', out, code=1)

    def test_a_folder_that_is_not_there(self):
        self.assert_refused(self.golanes('import', '-o', self.path('no', 'x'), V2, code=OUTPUT), self.path('no', 'x'))

    def test_a_dash_is_standard_output_where_there_is_one(self):
        want = self.golanes('export', '--to', 'csv', V2).out
        self.assertEqual(self.golanes('export', '--to', 'csv', '-o', '-', V2).out, want)
        self.assert_refused(self.golanes('import', '-o', '-', V2, code=2), 'standard output')
        self.assertFalse(os.path.exists('-'))

    def test_repair(self):
        lanes = self.lanes(V2)
        want = self.golanes('events', lanes).out
        with open(lanes, 'rb') as f:
            data = f.read()
        cut = self.put('cut.lanes', data[:-200])
        r = self.golanes('repair', '-o', self.path('new.lanes'), cut)
        self.assertRegex(r.err, r'new\.lanes: \S')
        self.assert_refused(self.golanes('repair', '-o', self.path('new.lanes'), cut, code=OUTPUT), 'exists')
        self.assertEqual(self.golanes('events', '-q', self.path('new.lanes')).out, self.golanes('events', '-q', cut).out)
        self.golanes('repair', lanes)
        self.assertEqual(self.golanes('events', lanes).out, want)


class Interrupted(Case):
    def interrupt(self, number, code):
        trace = self.put('long.trace', long_trace(12000000))
        out = self.path('x.lanes')
        p = subprocess.Popen([GOLANES, 'import', '--level', '19', '--threads', '0', '-o', out, trace], stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while not (os.path.exists(out) and os.path.getsize(out) > 2000) and time.monotonic() < deadline:
            self.assertIsNone(p.poll())
            time.sleep(0.01)
        p.send_signal(number)
        _, err = p.communicate(timeout=60)
        self.assertEqual(p.returncode, code, err)
        self.assertIn(b'holds the', err)
        events = int(re.search(rb'holds the (\d+) events', err).group(1))
        self.assertGreater(events, 0)
        self.assertLess(events, 12000000)
        self.assertEqual(int(self.golanes('events', '--count', '-q', out).out), events)
        self.assertIn('did not come to an end', self.golanes('events', '--limit', '0', '--count', '--type', 'GoEnd', out).err)
        self.golanes('info', '--strict', out, code=1)
        info = json.loads(self.golanes('info', '--json', out).out)
        self.assertTrue(info['lanes']['indexed'])
        self.assertFalse(info['sound'])

    def test_sigint_leaves_no_half_of_what_cannot_be_halved(self):
        trace = self.put('long.trace', long_trace(12000000))
        for out, *words in (['x.csv', 'export', '--to', 'csv', trace], ['x.lanes', 'cut', '--level', '19', '--from', '0', trace]):
            p = subprocess.Popen([GOLANES, *words, '-o', self.path(out)], stderr=subprocess.PIPE)
            deadline = time.monotonic() + 60
            while not (os.path.exists(self.path(out)) and os.path.getsize(self.path(out))) and time.monotonic() < deadline:
                self.assertIsNone(p.poll())
                time.sleep(0.01)
            p.send_signal(signal.SIGINT)
            _, err = p.communicate(timeout=60)
            self.assertEqual(p.returncode, INTERRUPTED, err)
            self.assertEqual(err.decode(), f'golanes: interrupted: {self.path(out)} was not finished and is gone\n')
            self.assertFalse(os.path.exists(self.path(out)))

    def test_sigint_ends_an_import_in_good_order(self):
        self.interrupt(signal.SIGINT, INTERRUPTED)

    def test_sigterm_too(self):
        self.interrupt(signal.SIGTERM, TERMINATED)


class StandardOutput(Case):
    def test_a_full_disk_under_standard_output(self):
        for words in (['events', V2], ['events', '--json', V2], ['summary', V2], ['summary', '--json', V2], ['info', V2],
                      ['info', '--json', V2], ['events', '--count', V2], ['--help'], ['--version'],
                      ['help', '--completion', 'bash']):
            with self.subTest(words=words), open('/dev/full', 'wb') as full:
                r = run(*words, stdout=full)
                self.assertEqual(r.code, OUTPUT, r.err)
                self.assertIn('No space left', r.err)
                self.assertEqual(len(r.err.splitlines()), 1, r.err)

    def test_a_reader_that_goes_away_is_no_error(self):
        trace = self.put('long.trace', long_trace(2000000))
        for words in (['events', trace], ['events', '--json', trace], ['summary', '--json', V1]):
            with self.subTest(words=words):
                p = subprocess.Popen([GOLANES, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                p.stdout.read(10)
                p.stdout.close()
                self.assertEqual(p.wait(timeout=60), DONE)
                self.assertEqual(p.stderr.read(), b'')
                p.stderr.close()

    def test_a_closed_standard_output(self):
        p = subprocess.run(f'{GOLANES} events {V2} >&-', shell=True, capture_output=True, check=False)
        self.assertEqual(p.returncode, OUTPUT, p.stderr)


class Terminal(Case):
    def on_terminal(self, *words, columns=80, stdout=None):
        """Runs with standard error on a terminal; its bytes."""
        us, them = pty.openpty()
        fcntl.ioctl(them, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
        env = {k: v for k, v in os.environ.items() if k != 'COLUMNS'}
        p = subprocess.Popen([GOLANES, *words], stdin=subprocess.DEVNULL, stdout=stdout or subprocess.DEVNULL, stderr=them, env=env)
        os.close(them)
        seen = b''
        deadline = time.monotonic() + 100
        while time.monotonic() < deadline:
            if select.select([us], [], [], 0.1)[0]:
                try:
                    got = os.read(us, 65536)
                except OSError:  # the other side is closed
                    break
                if not got:
                    break
                seen += got
        os.close(us)
        return p.wait(timeout=30), seen.decode()

    def screen(self, seen):
        """What stays on the line after all carriage returns."""
        line = []
        for part in seen.split('\r'):
            line[:len(part)] = part
        return ''.join(line).strip()

    def test_progress_is_drawn_within_the_width_and_erased(self):
        trace = self.put('long.trace', long_trace(40000000))
        for columns in (40, 80):
            code, seen = self.on_terminal('import', '-f', '--level', '19', '--threads', '0', '-o', self.path('x'), trace,
                                          columns=columns)
            self.assertEqual(code, 0)
            drawn = [part for part in seen.split('\r') if 'left' in part]
            self.assertTrue(drawn, seen[-300:])
            for part in seen.replace('\n', '\r').split('\r')[:-3]:
                self.assertLess(len(part), columns)
            self.assertTrue(any('%' in part for part in drawn) if columns == 80 else True)
            last = seen.rstrip('\r\n').split('\r')[-1]
            self.assertRegex(last, r'^golanes: .*events/s')

    def test_a_merge_shows_its_progress_too(self):
        trace = self.put('long.trace', long_trace(3000000))
        code, seen = self.on_terminal('merge', '--level', '9', '--offset', '1ms', '-o', self.path('m.lanes'), trace, trace)
        self.assertEqual(code, 0)
        self.assertRegex(seen, r'merging \S+ +▕.*▏ +\d+ %')
        self.assertRegex(self.screen(seen.rstrip()), r'^golanes: \S+: 2 processes')

    def test_no_progress_when_quiet_or_piped(self):
        trace = self.put('long.trace', long_trace(3000000))
        code, seen = self.on_terminal('import', '-q', '-o', self.path('x'), trace)
        self.assertEqual((code, seen), (0, ''))
        r = self.golanes('import', '-o', self.path('y'), trace)
        self.assertNotIn('\r', r.err)

    def test_summary_leaves_nothing_behind_on_the_terminal(self):
        trace = self.put('long.trace', long_trace(6000000))
        code, seen = self.on_terminal('summary', '--json', trace)
        self.assertEqual(code, 0)
        self.assertEqual(self.screen(seen), '')


if __name__ == '__main__':
    main()
