"""What is left when the program, the recorder or both are killed, when the disk is full, when the recorder is held.

Afterwards the file opens, and what is in it is a prefix of the truth: no gap that is not told as a loss (tracer_check
sees to that). KILLS: how many random moments each; a seed is printed where something fails.
"""
import os
import random
import signal
import subprocess
import sys
import time

from harness import EMITTER, GOLANES, Case, main

KILLS = int(os.environ.get('KILLS', '8'))
RATE = 20000


class Kills(Case):
    def moments(self):
        for i in range(KILLS):
            seed, self.number = random.randrange(1 << 30), i
            try:
                yield random.Random(seed)
            except GeneratorExit:  # the loop was left
                print(f'the seed was {seed}', file=sys.stderr)
                raise
            self.end_all()
            self.started.clear()

    def recording(self, dice, *more):
        name = f'run{self.number}.lanes'
        events = 100000000
        p = self.start(GOLANES, 'record', '-q', '--flush', '100ms', *more, '-o', name, EMITTER, 'threads', 2, 'events', events,
                       'rate', RATE)
        self.wait_for(lambda: self.children(p.pid), 'the program did not start')
        child = self.children(p.pid)[0]
        time.sleep(dice.random() * 0.4)
        return p, child, self.path(name)

    def test_program(self):
        for dice in self.moments():
            p, child, path = self.recording(dice)
            os.kill(child, signal.SIGKILL)
            self.assertEqual(p.wait(60), -signal.SIGKILL)
            figures = self.check(path)
            self.assertEqual((figures['indexed'], figures['lost'], figures['damaged']), (1, 0, 0))

    def test_recorder_and_what_it_left_is_taken_up(self):
        for dice in self.moments():
            p, child, path = self.recording(dice)
            os.kill(p.pid, signal.SIGKILL)
            p.wait(60)
            self.assertTrue(os.path.isdir(f'/proc/{child}'), 'the program goes on')
            first = self.check(path)
            second = self.path(f'again{self.number}.lanes')
            r = self.start(GOLANES, 'record', '-q', '--flush', '50ms', '-o', second, '--pid', child)
            self.wait_for(lambda: os.path.exists(second) and os.path.getsize(second) > 2000, 'nothing was taken up')
            os.kill(child, signal.SIGKILL)
            _, err = r.communicate(timeout=60)
            self.assertEqual((r.returncode, err), (0, b''))
            again = self.check(second, middle=True)
            self.assertEqual((again['indexed'], again['damaged'], first['damaged']), (1, 0, 0))

    def test_both(self):
        for dice in self.moments():
            p, child, path = self.recording(dice)
            victims = [p.pid, child]
            dice.shuffle(victims)
            for pid in victims:
                os.kill(pid, signal.SIGKILL)
            p.wait(60)
            self.check(path)

    def test_flushed_is_there(self):
        """What was told a second before is in the file, whoever dies."""
        p = self.start(GOLANES, 'record', '-q', '--flush', '50ms', '-o', 'run.lanes', EMITTER, 'events', 3000, 'linger', 100000)
        self.wait_for(lambda: os.path.exists(self.path()) and b'numbered 3000' in subprocess.run(
            [os.environ['CHECK'], self.path()], stdout=subprocess.PIPE, check=False).stdout, 'it was not flushed')
        child = self.children(p.pid)[0]
        os.kill(p.pid, signal.SIGKILL)
        os.kill(child, signal.SIGKILL)
        self.assertEqual(self.check()['numbered'], 3000)

    def test_full_disk(self):
        folder = self.path('small')
        os.mkdir(folder)
        made = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=16k', 'none', folder], stderr=subprocess.DEVNULL, check=False)
        if made.returncode != 0:
            self.skipTest('SKIP: a small file system can\'t be mounted here')
        self.addCleanup(subprocess.run, ['umount', '-l', folder], check=False)
        events = 100000
        code, out, err = self.record('-o', 'small/run.lanes', '--flush', '20ms', '--block', EMITTER, 'threads', 2, 'stacks', 'events',
                                     events, 'print')
        self.assertEqual((code, out), (4, f'done {events * (events + 1)}\n'), err)
        self.assertRegex(err, r'^golanes: small/run.lanes: Cannot write .*: No space left on device\. .*\n$')
        self.check(self.path('small/run.lanes'))

    def test_recorder_is_held_for_three_seconds(self):
        p = self.start(GOLANES, 'record', '-q', '-o', 'run.lanes', EMITTER, 'threads', 2, 'events', 1200000, 'rate', 300000, 'print')
        self.wait_for(lambda: self.children(p.pid), 'the program did not start')
        time.sleep(0.3)
        os.kill(p.pid, signal.SIGSTOP)
        time.sleep(3)
        os.kill(p.pid, signal.SIGCONT)
        out, _ = p.communicate(timeout=90)
        self.assertEqual((p.returncode, out), (0, f'done {1200000 * 1200001}\n'.encode()))
        self.whole(self.check(), 2, 1200000)


if __name__ == '__main__':
    sys.exit(main())
