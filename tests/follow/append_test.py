#!/usr/bin/env python3
"""One file that several recordings are added to."""
import glob
import os
import shutil
import signal
import subprocess
import time

from programs import Case, GOLANES, HERE, SECONDS, main


class Append(Case):
    def append(self, *words, **more):
        return self.record('--append', self.path(), '--', *words, **more)

    def left_over(self):
        return sorted(os.path.basename(p) for p in glob.glob(self.path('*')) if p != self.path())

    def test_three_in_turn(self):
        for n, (count, wanted) in enumerate([(700, [700]), (70, [700, 70]), (51, [700, 70, 51])]):
            p = self.append(self.counts(), count)
            self.assertEqual((p.returncode, p.stdout.split()[1]), (count % 7, str(count)), p.stderr)
            self.is_whole()
            self.assert_sends(wanted)
            self.assertEqual([x['path'] for x in self.programs()], [self.counts()] * (n + 1))
            self.assertEqual(self.left_over(), [])
        starts = [int(x['start_ns']) for x in self.programs()]
        self.assertEqual(starts, sorted(starts))
        self.assertGreater(starts[2], starts[0])

    def test_two_at_once(self):
        running = [subprocess.Popen([GOLANES, 'record', '-q', '--append', self.path(), '--', self.counts(), str(n), 'sleep', '500'],
                                    stdout=subprocess.DEVNULL, cwd=self.dir) for n in (700, 1400)]
        self.assertEqual([p.wait(SECONDS) for p in running], [0, 0])
        self.is_whole()
        self.assert_sends([700, 1400])
        self.assertEqual(self.left_over(), [])

    def test_a_damaged_end(self):
        self.append(self.counts(), 700)
        size = os.path.getsize(self.path())
        os.truncate(self.path(), size - 40)
        p = self.append(self.counts(), 70)
        self.assertEqual(p.returncode, 0, p.stderr)
        self.assert_sends([700, 70])
        self.is_whole()

    def test_a_recorder_that_is_killed(self):
        p = subprocess.Popen([GOLANES, 'record', '-q', '--flush', '10ms', '--append', self.path(), '--', self.counts(), '700',
                              'sleep', '1', self.counts(), '7', 'sleep', '3000'], stdout=subprocess.PIPE, cwd=self.dir, text=True)
        p.stdout.readline()
        time.sleep(1)  # until it is in the file; a slow machine only makes the test say less
        with open(f'/proc/{p.pid}/task/{p.pid}/children', encoding='ascii') as f:
            program = int(f.read().split()[0])
        p.kill()
        p.wait()
        os.kill(program, signal.SIGKILL)
        p.stdout.close()
        self.assertFalse(os.path.exists(self.path()))
        self.assertEqual(len(self.left_over()), 1)
        self.assertEqual(self.append(self.counts(), 70).returncode, 0)
        self.assertEqual(self.left_over(), [])
        self.assertGreaterEqual(len(self.sends()), 1)
        self.assertIn(70, [n - n % 10 for n in self.sends().values()])

    def test_what_is_no_trace_is_left_alone(self):
        with open(self.path(), 'w', encoding='ascii') as f:
            f.write('a diary\n')
        p = self.append(self.counts(), 70)
        self.assertEqual((p.returncode, p.stdout), (4, ''))
        with open(self.path(), encoding='ascii') as f:
            self.assertEqual(f.read(), 'a diary\n')
        self.assertEqual(self.left_over(), [])

    def test_what_it_does_not_go_with(self):
        for more in (['-o', 'x.lanes'], ['--flight', '3s'], ['--max-size', '1G']):
            self.assertEqual(self.record('--append', self.path(), *more, '--', self.counts(), 7).returncode, 2)

    def test_go_test_exec(self):
        root = self.path('m')
        for name in ('a', 'b'):
            os.makedirs(os.path.join(root, name))
            shutil.copy(os.path.join(HERE, 'go', name, f'{name}_test.go'), os.path.join(root, name))
        with open(os.path.join(root, 'go.mod'), 'w', encoding='ascii') as f:
            f.write('module example.com/m\n\ngo 1.19\n')
        b = self.builders['1.26']
        env = dict(b.env, GO111MODULE='on', GOFLAGS='-mod=mod', GOPROXY='off')
        p = self.run_words(os.path.join(b.root, 'bin', 'go'), 'test', '-count=1', '-exec',
                           f'{GOLANES} record -q --append {self.path()} --', './...', cwd=root, env=env)
        self.assertEqual(p.returncode, 0, p.stdout + p.stderr)
        self.is_whole()
        self.assert_sends([1111, 2222])


if __name__ == '__main__':
    main(verbosity=1)
