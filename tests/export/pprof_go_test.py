"""The profiles net, sync, syscall and sched are those of go tool trace -pprof, sample for sample: the same stacks with the
same functions, lines and addresses, the same counts and the same nanoseconds."""
import collections
import gzip
import os
import subprocess
import sys

sys.path[:0] = [os.path.join(os.path.dirname(__file__), '..', 'cli'), os.path.dirname(__file__)]
import goref
import harness
from protobuf import Profile

KINDS = ('net', 'sync', 'syscall', 'sched')
# Several generations, coroutines, cgo, leaks, servers; Go's tool needs seconds for each.
TRACES = ('traces/leak-go1.22', 'traces/annot-gens-go1.25', 'traces/mutex-go1.26', 'traces/coro-go1.24')


def samples(data):
    """Values by stack, as a multiset of both: Go keeps stacks with equal addresses as one."""
    out = collections.Counter()
    for stack, values, _ in Profile(gzip.decompress(data)).samples:
        told = any(func or address for func, _, _, address in stack)
        out[stack if told else (), values] += 1
    return out


class AsGo(harness.Case):
    def compare(self, name, trace, kind):
        theirs, why = goref.go_profile(GO, kind, trace, self.tmp)
        if theirs is None:
            self.fail(f'{name}: go tool trace -pprof={kind}: {why}')
        ours = self.golanes('export', '-q', trace, '--to', 'pprof', '--profile', kind).out
        want, got = samples(theirs), samples(ours)
        self.assertEqual(Profile(gzip.decompress(ours)).types, Profile(gzip.decompress(theirs)).types)
        self.assertEqual(want - got, collections.Counter(), f'{name} {kind}: only Go has these')
        self.assertEqual(got - want, collections.Counter(), f'{name} {kind}: only we have these')
        return sum(want.values())

    def test_sample_for_sample(self):
        total = 0
        for name in NAMES:
            trace = name if os.path.exists(name) else self.put('t.trace', harness.unpacked(name))
            for kind in KINDS:
                total += self.compare(name, trace, kind)
        self.assertGreater(total, 40)

    def test_the_same_from_a_lanes_file(self):
        trace = self.put('t.trace', harness.unpacked(TRACES[0]))
        for kind in KINDS:
            ours = self.golanes('export', '-q', self.lanes(trace), '--to', 'pprof', '--profile', kind).out
            theirs, _ = goref.go_profile(GO, kind, trace, self.tmp)
            self.assertEqual(samples(ours), samples(theirs))

    def test_a_part_is_a_trace_for_go(self):
        trace, part = self.put('t.trace', harness.unpacked('traces/annot-gens-go1.25')), self.path('part.trace')
        self.golanes('cut', '-q', trace, '--from', '11ms', '--to', '16ms', '-o', part)
        self.assertLess(os.path.getsize(part), os.path.getsize(trace) // 2)
        self.assertGreater(self.compare('a part', part, 'sync'), 2)

    def test_go_tool_pprof_reads_it(self):
        trace = self.put('t.trace', harness.unpacked(TRACES[0]))
        out = self.top(trace, 'sync')
        self.assertIn('Type: delay', out)
        self.assertIn('runtime.chanrecv', out)

    def top(self, trace, kind):
        self.golanes('export', '-qf', trace, '--to', 'pprof', '--profile', kind, '-o', self.path('p.pb.gz'))
        p = subprocess.run([GO, 'tool', 'pprof', '-top', self.path('p.pb.gz')], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True, check=False, env=goref.environment(self.tmp), timeout=600)
        self.assertEqual(p.returncode, 0, p.stdout)
        return p.stdout

    def test_go_tool_pprof_reads_every_profile(self):
        """Its total is the sum of our samples' values."""
        refused = self.golanes('export', self.path('x'), '--to', 'pprof', '--profile', 'none', code=2).err
        kinds = refused.rsplit('there are ', 1)[1].strip().split(', ')
        self.assertGreater(len(kinds), len(KINDS))
        trace = self.put('t.trace', harness.unpacked('traces/annot-gens-go1.25'))
        for kind in kinds:
            out = self.top(trace, kind)
            self.assertIn('Type: ', out, kind)
            self.assertRegex(out, r'flat +flat%', kind)


GO = goref.need_go()
NAMES = os.environ.get('GOLANES_PPROF_TRACES', '').split() or TRACES

if __name__ == '__main__':
    harness.main()
