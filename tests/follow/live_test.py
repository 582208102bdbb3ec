#!/usr/bin/env python3
"""golanes live in a terminal (tmux): quit, keep, drop, and a program that ends meanwhile."""
import glob
import os
import shutil
import subprocess
import time

from programs import Case, GOLANES, SECONDS, skip, main

TMUX = shutil.which('tmux')


class Live(Case):
    def setUp(self):
        super().setUp()
        self.tmp = self.path('tmp')
        os.mkdir(self.tmp)
        self.servers = 0

    def tmux(self, *words):
        return subprocess.run([TMUX, '-S', self.socket, '-f', '/dev/null', *words], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False).stdout

    def live(self, *words, size=(80, 24)):
        self.servers += 1  # one that was killed just now may still answer
        self.socket = self.path(f'tmux{self.servers}')
        self.addCleanup(subprocess.run, [TMUX, '-S', self.socket, 'kill-server'], stderr=subprocess.DEVNULL, check=False)
        line = ' '.join(f"'{w}'" for w in (GOLANES, 'live', *words))
        env = f"TMPDIR='{self.tmp}' HOME='{self.dir}' LC_ALL=C.UTF-8 TERM=screen-256color"
        self.tmux('new-session', '-d', '-x', str(size[0]), '-y', str(size[1]), '-c', self.dir,
                  f'env {env} sh -c "{line}; echo left with \\$?; sleep 1000"')

    def screen(self):
        return self.tmux('capture-pane', '-p')

    def see(self, what):
        until = time.monotonic() + SECONDS
        while what not in self.screen():
            self.assertLess(time.monotonic(), until, f'{what!r} is not on:\n{self.screen()}')
            time.sleep(0.05)

    def keys(self, *keys):
        self.tmux('send-keys', *keys)

    def start(self, *words):
        p = subprocess.Popen([self.counts(), *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(p.wait)
        self.addCleanup(p.kill)
        return p

    def is_untouched(self, p):
        self.assertIsNone(p.poll())
        with open(f'/proc/{p.pid}/status', encoding='ascii') as f:
            self.assertIn('TracerPid:\t0\n', f.read())

    def test_look_and_leave(self):
        for size in ((80, 24), (200, 50)):
            p = self.start('7', 'sleep', '1000000')
            self.live('--pid', str(p.pid), size=size)
            self.see('runtime.main')
            self.see('w keep')
            self.keys('q')
            self.see('keep this recording?')
            self.keys('Escape')
            self.see('w keep')
            self.keys('q')
            self.see('keep this recording?')
            self.keys('n')
            self.see('left with 0')
            self.is_untouched(p)
            self.assertEqual(os.listdir(self.tmp), [])
            self.assertEqual(glob.glob(self.path('*.lanes')), [])

    def test_keep(self):
        p = self.start('7', 'sleep', '1000000')
        self.live('-p', str(p.pid))
        self.see('runtime.main')
        self.keys('w')
        self.see('keep the recording as')
        self.keys('C-u')
        self.keys('-l', 'mine.lanes')
        self.keys('Enter')
        self.see('kept as mine.lanes')
        self.keys('q')
        self.see('left with 0')
        self.is_untouched(p)
        self.is_whole(self.path('mine.lanes'))
        self.assertEqual([x['path'] for x in self.programs(self.path('mine.lanes'))], [self.counts()])
        self.assertEqual(os.listdir(self.tmp), [])

    def test_a_program_that_ends_meanwhile(self):
        self.live(self.counts(), '700', 'sleep', '300')
        self.see('runtime.main')
        self.assertNotIn('counted', self.screen())
        self.keys('q')
        self.see('keep this recording?')
        self.keys('y')
        self.see('keep the recording as')
        self.keys('Enter')
        self.see('left with 0')
        name = os.path.basename(self.counts()) + '.lanes'
        self.see('kept as ' + name)
        self.is_whole(self.path(name))
        (output,) = glob.glob(os.path.join(self.tmp, '*.out'))
        self.see(os.path.basename(output)[-14:])
        self.assertEqual([x['path'] for x in self.programs(self.path(name))], [self.counts()])

    def test_a_program_that_is_not_there(self):
        self.live('/no/such/program')
        self.see('left with 127')
        self.assertEqual(os.listdir(self.tmp), [])

    def test_no_terminal(self):
        p = self.run_words(GOLANES, 'live', self.counts(), '7')
        self.assertEqual(p.returncode, 2)
        self.assertIn('terminal', p.stderr)


if __name__ == '__main__':
    if not TMUX:
        skip('no tmux')
    main(verbosity=1)
