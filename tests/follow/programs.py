"""What the tests of recordings of several programs share: Go programs, and what a file says of the programs in it."""
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'gobin'))
sys.path.append(os.path.join(os.path.dirname(HERE), 'support'))
import toolchains  # noqa: E402
from suite import main  # noqa: E402,F401

GOLANES = os.environ['GOLANES']
SECONDS = 200
RELEASES = ('1.26', '1.21')


def skip(why):
    print(f'SKIP: {why}')
    sys.exit(77)


class Case(unittest.TestCase):
    """A folder, and in it the program `counts` of each release."""
    builders = {}

    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.mkdtemp(prefix='golanes-follow-')
        cls.addClassCleanup(shutil.rmtree, cls.shared, True)
        for release in RELEASES:
            root = toolchains.goroot(release, True)
            if root:
                cls.builders[release] = toolchains.Builder(release, root, cls.shared)
        if '1.26' not in cls.builders:
            skip('no Go 1.26 is to be had')
        for release, b in cls.builders.items():
            p = b.go('build', '-o', cls.counts(release), os.path.join(HERE, 'go', 'counts.go'))
            if p.returncode:
                raise RuntimeError(p.stderr)

    @classmethod
    def counts(cls, release='1.26'):
        return os.path.join(cls.shared, f'counts-{release}')

    def setUp(self):
        self.dir = tempfile.mkdtemp(dir=self.shared)

    def path(self, name='run.lanes'):
        return os.path.join(self.dir, name)

    def run_words(self, *words, **more):
        options = {'cwd': self.dir, 'stdin': subprocess.DEVNULL, **more}
        return subprocess.run([str(w) for w in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                              timeout=SECONDS, **options)

    def record(self, *words, **more):
        return self.run_words(GOLANES, 'record', *words, **more)

    def info(self, path=None):
        p = self.run_words(GOLANES, 'info', '--json', path or self.path())
        self.assertEqual(p.returncode, 0, p.stderr)
        return json.loads(p.stdout)

    def programs(self, path=None):
        """Of each program in the file: what the metadata say."""
        out = collections.defaultdict(dict)
        for key, value in self.info(path)['meta'].items():
            words = key.split('.')
            if words[0] == 'process':
                out[int(words[1])][words[2]] = value
        return [out[i] for i in sorted(out)]

    def sends(self, path=None):
        """Sends by process."""
        p = self.run_words(GOLANES, 'events', '--json', '-t', 'ChanSendBegin', path or self.path())
        self.assertEqual(p.returncode, 0, p.stderr)
        return collections.Counter(json.loads(line)['g'] >> 48 for line in p.stdout.splitlines())

    def is_whole(self, path=None):
        p = self.run_words(GOLANES, 'info', '--strict', path or self.path())
        self.assertEqual(p.returncode, 0, p.stdout + p.stderr)

    def assert_sends(self, wanted, path=None):
        """Each program's own sends, and a few of its runtime."""
        got = self.sends(path)
        self.assertEqual(len(got), len(wanted), (got, wanted))
        for have, want in zip(sorted(got.values()), sorted(wanted)):
            self.assertTrue(want <= have <= want + 8, (got, wanted))
