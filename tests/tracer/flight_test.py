"""golanes record --flight, --max-size, and golanes snap."""
import json
import os
import signal
import subprocess
import sys

from harness import EMITTER, GOLANES, Case, main


class Flight(Case):
    def files(self):
        return sorted(n for n in os.listdir(self.dir) if n.endswith('.lanes'))

    def info(self, name):
        return json.loads(subprocess.run([GOLANES, 'info', '--json', self.path(name)], stdout=subprocess.PIPE, check=True).stdout)

    def first_events(self, name, n):
        out = subprocess.run([GOLANES, 'events', '--json', '-n', str(n), self.path(name)], stdout=subprocess.PIPE, check=True).stdout
        return [json.loads(line) for line in out.splitlines()]

    def test_the_end_of_the_program_is_written(self):
        code, _, err = self.record('--flight', '60s', '-o', 'run.lanes', EMITTER, 'events', 2000, 'exit', 3)
        self.assertEqual(code, 3)
        self.assertEqual(self.files(), ['run-1.lanes'])
        self.assertIn('the program ended with exit status 3', err)
        self.whole(self.check(self.path('run-1.lanes')), 1, 2000)

    def test_a_crash_is_written_up_to_the_last_event(self):
        code, _, err = self.record('--flight', '60s', '-o', 'run.lanes', EMITTER, 'events', 500, 'signal', int(signal.SIGABRT))
        self.assertEqual(code, -signal.SIGABRT)
        self.assertIn('the program died of SIGABRT', err)
        self.whole(self.check(self.path('run-1.lanes')), 1, 500)

    def test_old_parts_go_and_what_is_left_stands_alone(self):
        code, _, _ = self.record('--flight', '200ms', '-o', 'run.lanes', EMITTER, 'events', 3000, 'rate', 2000)
        self.assertEqual(code, 0)
        figures = self.check(self.path('run-1.lanes'), middle=True)
        self.assertLess(figures['numbered'], 2900)
        self.assertGreater(figures['numbered'], 100)
        self.assertEqual(figures['last.1'], 3000)
        first = self.first_events('run-1.lanes', 2)
        self.assertEqual([e['name'] for e in first], ['ClockSync', 'GoStatus'])
        self.assertEqual((first[0]['t'], first[1]['args']['goroutine'], first[1]['args']['to']), (0, 1, 'Running'))

    def test_snap_by_either_process_and_by_signal(self):
        p = self.start(GOLANES, 'record', '--flight', '60s', '-o', 'run.lanes', EMITTER, 'events', 500, 'linger', 60000)
        self.wait_for(lambda: self.children(p.pid), 'the program did not start')
        child = self.children(p.pid)[0]

        def whole():
            code, _, err = self.run_words(GOLANES, 'snap', p.pid)
            name = err.split(': ')[1] if code == 0 else ''
            return code == 0 and self.check(self.path(name))['numbered'] == 500
        self.wait_for(whole, 'no snapshot has all events')
        before = len(self.files())
        code, _, err = self.run_words(GOLANES, 'snap', child)
        self.assertEqual(code, 0, err)
        self.assertEqual(len(self.files()), before + 1)
        p.send_signal(signal.SIGUSR1)
        self.wait_for(lambda: len(self.files()) == before + 2, 'SIGUSR1 wrote nothing')
        os.kill(child, signal.SIGKILL)
        self.assertEqual(p.wait(60), -signal.SIGKILL)

    def test_snap_of_who_is_none(self):
        code, _, err = self.run_words(GOLANES, 'snap', os.getpid())
        self.assertEqual((code, err), (3, f'golanes: process {os.getpid()} neither is a golanes record nor is recorded by one\n'))
        p = self.start(GOLANES, 'record', '-o', 'run.lanes', 'sleep', '60')
        self.wait_for(lambda: self.run_words(GOLANES, 'snap', p.pid)[2] ==
                      'golanes: this recording keeps no past: all of it is in run.lanes\n', 'another answer')
        self.assertEqual(self.run_words(GOLANES, 'snap', 'x')[0], 2)

    def test_triggers_with_a_limit(self):
        code, _, err = self.record('--flight', '60s', '--trigger', 'goroutines>1000000', '--trigger', 'event=heaplive',
                                   '--cooldown', '1ns', '--limit', 2, '-o', 'run.lanes', EMITTER, 'events', 1000, 'rate', 500)
        self.assertEqual(code, 0)
        self.assertEqual(err.count('written because of: event=heaplive'), 2, err)
        self.assertEqual(err.count('the program ended'), 1)
        self.assertEqual(len(self.files()), 3)

    def test_a_folder_that_cannot_be_written(self):
        code, _, err = self.record('--flight', '1s', '-o', 'none/run.lanes', EMITTER)
        self.assertEqual((code, err), (4, 'golanes: no file can be created in none: No such file or directory\n'))

    def test_mistakes_are_pointed_at(self):
        for trigger, at, says in (('stw>5', 5, 'a unit is wanted here'), ('stw<5ms', 3, "'>' is wanted here"),
                                  ('panic &', 6, "'&&', '||' or the end is wanted here"), ('', 0, 'a condition is missing here'),
                                  ('panic || evnt=X', 9, 'this is none of'), ('event=NoSuch', 6, 'there is no event of this name')):
            code, _, err = self.record('--flight', '1s', '--trigger', trigger, 'true')
            lines = err.split('\n')
            self.assertEqual(code, 2)
            self.assertIn(says, lines[0])
            self.assertEqual(lines[1:3], ['    ' + trigger, ' ' * (4 + at) + '^'])
        for words in (['--flight', '5'], ['--trigger', 'panic'], ['--max-files', '3'], ['--max-size', 'x'],
                      ['--flight', '1s', '--max-size', '1M']):
            self.assertEqual(self.record(*words, 'true')[0], 2)
        self.assertEqual(self.files(), [])


class Rotation(Case):
    def test_files_follow_each_other_and_stand_alone(self):
        code, _, _ = self.record('-q', '--block', '--flush', '20ms', '--max-size', '64K', '-o', 'run.lanes', EMITTER, 'threads', 2,
                                 'events', 3000000)
        self.assertEqual(code, 0)
        names = ['run.lanes'] + [f'run-{i}.lanes' for i in range(2, 1000)]
        names = [n for n in names if os.path.exists(self.path(n))]
        self.assertGreater(len(names), 1)
        figures = [self.check(self.path(n), middle=True) for n in names]
        self.assertEqual(sum(f['numbered'] for f in figures), 6000000)
        self.assertEqual(sum(f['lost'] for f in figures), 0)
        self.assertEqual({f['indexed'] for f in figures}, {1})
        for last, n in zip(names, names[1:]):
            self.assertLess(os.path.getsize(self.path(last)), 1 << 20)
            out = subprocess.run([GOLANES, 'info', '--json', self.path(n)], stdout=subprocess.PIPE, check=True).stdout
            self.assertIn('GoStatus', out.decode())

    def test_only_the_newest_are_kept(self):
        code, _, _ = self.record('-q', '--block', '--flush', '20ms', '--max-size', '16K', '--max-files', 2, '-o', 'run.lanes', EMITTER,
                                 'events', 1000000)
        self.assertEqual(code, 0)
        names = sorted(n for n in os.listdir(self.dir))
        self.assertEqual(len(names), 2, names)
        self.assertNotIn('run.lanes', names)
        self.assertEqual(max(self.check(self.path(n), middle=True)['last.1'] for n in names), 1000000)


if __name__ == '__main__':
    sys.exit(main())
