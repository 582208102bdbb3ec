"""What the tests of recordings share. Environment: GOLANES, EMITTER, CHECK: programs."""
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'support'))
import suite  # noqa: E402  pylint: disable=wrong-import-position

GOLANES, EMITTER, CHECK = os.environ['GOLANES'], os.environ['EMITTER'], os.environ['CHECK']
SECONDS = 100


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix='golanes-record-')
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.started = []
        self.addCleanup(self.end_all)

    def end_all(self):
        for p in self.started:
            if p.poll() is None:
                p.kill()
                p.wait()
            for f in (p.stdin, p.stdout, p.stderr):
                if f:
                    f.close()

    def path(self, name='run.lanes'):
        return os.path.join(self.dir, name)

    def start(self, *words, **more):
        options = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, 'cwd': self.dir, **more}
        p = subprocess.Popen([str(w) for w in words], **options)
        self.started.append(p)
        return p

    def run_words(self, *words, data=None, **more):
        """Exit code, standard output, standard error."""
        p = self.start(*words, **({'stdin': subprocess.PIPE, **more} if data is not None else more))
        out, err = p.communicate(data, timeout=SECONDS)
        return p.returncode, (out or b'').decode(errors='replace'), (err or b'').decode(errors='replace')

    def record(self, *words, **more):
        return self.run_words(GOLANES, 'record', *words, **more)

    def wait_for(self, what, message):
        """Polls; a loaded machine only makes it take longer."""
        until = time.monotonic() + SECONDS
        while not what():
            self.assertLess(time.monotonic(), until, message)
            time.sleep(0.01)

    @staticmethod
    def children(pid):
        try:
            with open(f'/proc/{pid}/task/{pid}/children', encoding='ascii') as f:
                return [int(word) for word in f.read().split()]
        except OSError:
            return []

    def check(self, path=None, middle=False):
        """Figures of tracer_check, which must be content."""
        p = subprocess.run([CHECK, path or self.path()] + ['middle'] * middle, stdout=subprocess.PIPE, check=False, timeout=SECONDS)
        text = p.stdout.decode()
        self.assertEqual(p.returncode, 0, text)
        return {name: int(value) for name, value in (line.split() for line in text.splitlines())}

    def whole(self, figures, threads, events):
        """Everything is there, or counted."""
        self.assertEqual(figures['damaged'], 0)
        self.assertEqual(figures['numbered'] + figures['starts'] + figures['ends'] + figures['lost'], threads * (events + 2))


def main():
    suite.main(verbosity=1)
