#!/usr/bin/env python3
"""Children of a program that is recorded: Go programs among them are recorded too, into the one file."""
import os
import shutil
import subprocess
import time

from programs import Case, GOLANES, HERE, SECONDS, main


class GoTest(Case):
    """golanes record -- go test ./..."""

    def module(self, release):
        root = self.path('m')
        for name in ('a', 'b'):
            os.makedirs(os.path.join(root, name))
            shutil.copy(os.path.join(HERE, 'go', name, f'{name}_test.go'), os.path.join(root, name))
        with open(os.path.join(root, 'go.mod'), 'w', encoding='ascii') as f:
            f.write('module example.com/m\n\ngo 1.19\n')
        b = self.builders[release]
        return root, os.path.join(b.root, 'bin', 'go'), dict(b.env, GO111MODULE='on', GOFLAGS='-mod=mod', GOPROXY='off')

    def test_tests_of_two_packages(self):
        for release in self.builders:
            root, go, env = self.module(release)
            p = self.record('-f', '-o', self.path(), '--', go, 'test', '-count=1', '-p', '2', './...', cwd=root, env=env)
            self.assertEqual(p.returncode, 0, p.stdout + p.stderr)
            self.assertRegex(p.stdout, r'ok\s+example.com/m/a\s')
            self.assertRegex(p.stdout, r'ok\s+example.com/m/b\s')
            self.assert_sends([1111, 2222])
            self.is_whole()
            names = sorted(os.path.basename(x['path']) for x in self.programs())
            self.assertEqual(names, ['a.test', 'b.test'])
            shutil.rmtree(root)

    def test_a_test_that_fails(self):
        root, go, env = self.module('1.26')
        path = os.path.join(root, 'b', 'b_test.go')
        with open(path, encoding='ascii') as f:
            text = f.read().replace('n != 2222', 'n == 2222')
        with open(path, 'w', encoding='ascii') as f:
            f.write(text)
        p = self.record('-o', self.path(), '--', go, 'test', '-count=1', './...', cwd=root, env=env)
        self.assertEqual(p.returncode, 1)
        self.assertIn('FAIL', p.stdout)
        self.assert_sends([1111, 2222])


class Wrapped(Case):
    def test_a_shell_between(self):
        script = f'echo before; {self.counts()} 700; env X=1 {self.counts()} 70; echo $?; exec {self.counts()} 51'
        plain = self.run_words('sh', '-c', script)
        p = self.record('-o', self.path(), '--', 'sh', '-c', script)
        self.assertEqual((p.returncode, p.stdout), (plain.returncode, plain.stdout), p.stderr)
        self.assertEqual(p.returncode, 51 % 7)
        self.assert_sends([700, 70, 51])
        self.is_whole()
        self.assertEqual([x['path'] for x in self.programs()], [self.counts()] * 3)

    def test_what_is_wanted(self):
        script = f'{self.counts()} 70; {self.path("other")} 700'
        shutil.copy(self.counts(), self.path('other'))
        self.record('-o', self.path(), '--follow', '/oth[e]r$', '--', 'sh', '-c', script)
        self.assert_sends([700])
        self.record('-f', '-o', self.path(), '--follow', 'none', '--', 'sh', '-c', script)
        self.assertEqual(self.programs(), [])
        p = self.record('-o', self.path('no.lanes'), '--follow', '(', '--', 'sh', '-c', script)
        self.assertEqual(p.returncode, 2)
        self.assertIn('--follow', p.stderr)

    def test_a_shell_that_is_killed(self):
        p = self.record('-o', self.path(), '--', 'sh', '-c', f'{self.counts()} 70; kill -TERM $$')
        self.assertEqual(p.returncode, -15, p.stderr)
        self.assert_sends([70])

    def test_nothing_to_record(self):
        p = self.record('-o', self.path(), '--', 'sh', '-c', 'true')
        self.assertEqual(p.returncode, 0)
        self.assertIn('nothing was recorded', p.stderr)
        self.assertIn('nor did it start a Go program', p.stderr)


class Started(Case):
    """What a recorded Go program starts itself."""

    def both(self, release):
        return self.counts(release), self.counts()

    def test_a_program_starts_a_program(self):
        for release in self.builders:
            first, second = self.both(release)
            plain = self.run_words(first, 700, second, 70)
            p = self.record('-f', '-o', self.path(), '--', first, 700, second, 70)
            self.assertEqual((p.returncode, p.stdout), (plain.returncode, plain.stdout), p.stderr)
            self.assert_sends([700, 70])
            self.is_whole()
            self.assertEqual([x['path'] for x in self.programs()], [first, second])

    def test_through_a_shell_three_deep(self):
        c = self.counts()
        p = self.record('-o', self.path(), '--', c, 700, '/bin/sh', '-c', f'{c} 70 {c} 51; true')
        self.assertIn('counted 51', p.stdout)
        self.assert_sends([700, 70, 51])

    def test_a_program_becomes_another(self):
        for release in self.builders:
            first, second = self.both(release)
            for chain in ([first, 700, 'exec', second, 51], [first, 700, 'exec', first, 51], [first, 7, 'exec', '/bin/sh', '-c', f'{second} 51']):
                plain = self.run_words(*chain)
                p = self.record('-f', '-o', self.path(), '--', *chain)
                self.assertEqual((p.returncode, p.stdout), (plain.returncode, plain.stdout), p.stderr)
                self.assert_sends([chain[1], 51])
                self.is_whole()
            p = self.record('-f', '-o', self.path(), '--', first, 700, 'exec', '/no/such/program')
            self.assertEqual(p.returncode, 99, p.stderr)
            self.assert_sends([700])

    def test_none(self):
        p = self.record('-o', self.path(), '--follow', 'none', '--', self.counts(), 700, self.counts(), 70)
        self.assertIn('counted 70', p.stdout)
        self.assert_sends([700])

    def test_its_recorder_is_killed(self):
        """What it starts afterwards starts all the same."""
        child = subprocess.Popen([GOLANES, 'record', '-q', '-o', self.path(), '--', self.counts(), '7', 'sleep', '2000',
                                  self.counts(), '70'], stdout=subprocess.PIPE, cwd=self.dir, text=True)
        self.addCleanup(child.stdout.close)
        until = time.monotonic() + SECONDS
        program = []
        while not program or not self.is_recorded(program[0]):
            self.assertLess(time.monotonic(), until)
            with open(f'/proc/{child.pid}/task/{child.pid}/children', encoding='ascii') as f:
                program = [int(word) for word in f.read().split()]
        child.kill()
        child.wait()
        self.assertIn('ran 0', child.stdout.read())

    @staticmethod
    def is_recorded(pid):
        """Patched, and let go."""
        with open(f'/proc/{pid}/maps', encoding='ascii') as f:
            patched = 'golanes-probe' in f.read()
        with open(f'/proc/{pid}/status', encoding='ascii') as f:
            return patched and 'TracerPid:\t0\n' in f.read()


if __name__ == '__main__':
    main(verbosity=1)
