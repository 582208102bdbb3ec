"""What the end-to-end tests of the golanes program share. Environment: GOLANES (the program), GOLANES_SOURCE (the tree)."""
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'support'))
import suite  # noqa: E402  pylint: disable=wrong-import-position

GOLANES = os.environ['GOLANES']
SOURCE = os.environ['GOLANES_SOURCE']
SMALL = os.path.join(SOURCE, 'tests', 'corpus', 'small')
SECONDS = 120

DONE, DAMAGED, USAGE, INPUT, OUTPUT, SYSTEM, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 4, 5, 130, 143
V1 = os.path.join(SMALL, 'traces', 'leak-go1.21.trace')
V2 = os.path.join(SMALL, 'traces', 'leak-go1.22.trace')
CUT = os.path.join(SMALL, 'malformed', 'trunc-60pct-leak-go1.26.trace')


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def lines(self):
        return self.out.decode().splitlines()

    def json_lines(self):
        return [json.loads(line) for line in self.lines()]


def run(*words, stdin=None, stdout=None, env=None, fsize=None, cwd=None):
    """One command. fsize: the largest file that it may write."""
    def limits():
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if fsize is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (fsize, fsize))
    p = subprocess.run([GOLANES, *words], stdin=stdin if stdin is not None else subprocess.DEVNULL,
                       stdout=stdout if stdout is not None else subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                       timeout=SECONDS, env={**os.environ, **(env or {})}, preexec_fn=limits, cwd=cwd)
    return Result(p.returncode, p.stdout or b'', p.stderr.decode(errors='replace'))


def unpacked(name):
    """Bytes of a trace of the small corpus: traces/leak-go1.22, malformed/…"""
    path = os.path.join(SMALL, name + '.trace')
    if os.path.exists(path):
        with open(path, 'rb') as f:
            return f.read()
    return subprocess.run(['zstd', '-dqc', path + '.zst'], stdout=subprocess.PIPE, check=True).stdout


def varint(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7f | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def long_trace(events):
    """A sound Go 1.22 trace of one goroutine and about so many HeapLive events: big, and quick to make."""
    def batch(thread, time, data):
        return b'\x01' + varint(1) + varint(thread) + varint(time) + varint(len(data)) + data
    nobody = 2 ** 64 - 1
    heap = b'\x25' + varint(1) + varint(1000)  # HeapAlloc: 1 tick later, 1000 bytes
    each = 65000 // len(heap)
    parts = [b'go 1.22 trace\x00\x00\x00', batch(nobody, 0, b'\x08' + varint(15625000))]
    # ProcStatus: P 0 runs; GoStatus: G 1 runs on thread 1.
    parts.append(batch(1, 1, b'\x0d' + varint(0) + varint(0) + varint(1) + b'\x19' + varint(0) + varint(1) + varint(1) + varint(2)))
    full = heap * each
    for i in range(events // each):
        parts.append(batch(1, 2 + i * each, full))
    # Stacks and strings end a generation: there are none.
    parts += [batch(nobody, 2 + events, b'\x02'), batch(nobody, 2 + events, b'\x04')]
    return b''.join(parts)


class Case(unittest.TestCase):
    """A test with a folder of its own, and sentences for what goes wrong."""
    maxDiff = 4000

    def setUp(self):
        self.tmp = tempfile.mkdtemp(prefix='golanes-test-')
        self.addCleanup(shutil.rmtree, self.tmp, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.tmp, *names)

    def put(self, name, data):
        with open(self.path(name), 'wb') as f:
            f.write(data)
        return self.path(name)

    def golanes(self, *words, code=DONE, **more):
        r = run(*words, **more)
        self.assertEqual(r.code, code, f'golanes {" ".join(words)}\n{r.out[-500:]!r}\n{r.err[-2000:]}')
        return r

    def assert_refused(self, r, *words):
        """One clear line, naming what it should; of a wrong expression or list two more point at the spot."""
        lines = r.err.strip().splitlines()
        if len(lines) == 3 and set(lines[2].split(':', 1)[1]) <= set(' ^'):
            self.assertIn('at character ', lines[0])
            at = int(lines[0].split('at character ')[1].split()[0].rstrip(',;:'))
            self.assertEqual(lines[2].index('^') - len('golanes:   '), at - 1, r.err)
        else:
            self.assertEqual(len(lines), 1, r.err)
        self.assertRegex(lines[0], r'^golanes[a-z -]*: \S')
        self.assertEqual(r.out, b'')
        for word in words:
            self.assertIn(word, lines[0])

    def lanes(self, trace, name='made.lanes'):
        self.golanes('import', '-qf', '-o', self.path(name), trace)
        return self.path(name)


def main():
    suite.main(verbosity=2)
