"""Parts of traces, and traces of several processes: what comes out holds what went in, by state, time and name."""
import collections
import json
import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(__file__), '..', 'cli'), os.path.dirname(__file__)]
import harness

MS = 1000000


class Base(harness.Case):
    def rows(self, path, table):
        out = self.golanes('export', '-q', path, '--to', 'jsonl', '--table', table).out
        return [json.loads(line) for line in out.splitlines()]

    def events(self, path, *more):
        return [json.loads(line) for line in self.golanes('events', '-q', '--json', path, *more).out.splitlines()]

    def summary(self, path):
        return json.loads(self.golanes('summary', '--json', '-q', path).out)

    def info(self, path):
        return json.loads(self.golanes('info', '--json', '-q', path).out)


class Cut(Base):
    def cut(self, trace, begin, end):
        out = self.path('part.lanes')
        self.golanes('cut', '-qf', trace, '--from', f'{begin}ns', '--to', f'{end}ns', '-o', out)
        return out

    def check(self, trace, begin, end):
        """Time by goroutine and state: that of the whole trace's spans, clipped to the part."""
        part = self.cut(trace, begin, end)
        self.golanes('info', '--strict', '-q', part)
        chosen = [e for e in self.events(trace, '--from', f'{begin}ns', '--to', f'{end}ns')]
        got = self.events(part)
        own = [e for e in got if 'inferred' in e.get('flags', [])]
        rest = [e for e in got if 'inferred' not in e.get('flags', [])]
        zero = chosen[0]['t'] if chosen[0]['name'] not in ('GoStatus', 'ProcStatus', 'ClockSync') else None
        self.assertGreater(len(own), 3)
        shift = zero if zero is not None else min(e['t'] for e in chosen if e['name'] not in ('GoStatus', 'ProcStatus', 'ClockSync'))
        tail = [dict(e, t=e['t'] - shift) for e in chosen]
        self.assertEqual(rest[-len(tail) // 2:], tail[-len(tail) // 2:])
        last = max(e['t'] for e in got if e['name'] != 'ClockSync') + shift
        want = collections.Counter()
        for s in self.rows(trace, 'spans'):
            length = min(s['end_ns'], last) - max(s['begin_ns'], shift)
            if length > 0:
                want[s['g'], s['state'].lower()] += length
        have = collections.Counter()
        for g in self.rows(part, 'goroutines'):
            for state in ('running', 'runnable', 'waiting', 'syscall'):
                if g[state + '_ns']:
                    have[g['g'], state] += g[state + '_ns']
        self.assertEqual(have, want)
        return part, shift

    def test_time_in_states(self):
        for name, begin, end in (('traces/mutex-go1.26', 1 * MS, 3 * MS), ('traces/leak-go1.22', 500000, 2 * MS),
                                 ('traces/msort-go1.19', 1 * MS, 6 * MS)):
            with self.subTest(name):
                self.check(self.put('t.trace', harness.unpacked(name)), begin, end)

    def test_from_a_lanes_file_too(self):
        trace = self.lanes(self.put('t.trace', harness.unpacked('traces/mutex-go1.26')))
        self.check(trace, 1 * MS, 3 * MS)

    def test_reasons_stacks_creators_and_names_are_known_at_its_start(self):
        trace = self.put('t.trace', harness.unpacked('traces/leak-go1.22'))
        end = self.summary(trace)['time']['raw_end_ns'] if 'raw_end_ns' in self.summary(trace)['time'] else 3 * MS
        begin = end * 3 // 4
        part = self.cut(trace, begin, end + MS)
        carried = {e['args']['goroutine']: e for e in self.events(part) if e['name'] == 'GoCarried'}
        waits = [e for e in carried.values() if e['args']['state'] == 'Waiting' and e['args']['reason'] == 'chan receive']
        self.assertTrue(waits)
        self.assertTrue(all('func' in e for e in waits))
        whole = {g['g']: g for g in self.rows(trace, 'goroutines')}
        for g in self.rows(part, 'goroutines'):
            self.assertEqual(g.get('func'), whole[g['g']].get('func'))
            self.assertEqual(g.get('creator'), whole[g['g']].get('creator'))
        reasons = {g['g']: g['reason'] for g in self.rows(part, 'waits') if 'reason' in g}
        for number, e in carried.items():
            if e['args']['state'] == 'Waiting' and e['args']['reason']:
                self.assertIn(number, reasons)

    def test_clock_and_where_it_comes_from(self):
        trace = self.put('t.trace', harness.unpacked('traces/mutex-go1.26'))
        part, shift = self.check(trace, 1 * MS, 3 * MS)
        wall = self.events(trace, '--wall', '--from', f'{shift}ns', '--limit', '1')[0]['wall']
        self.assertEqual(self.events(part, '--wall', '--type', 'ClockSync')[0]['wall'], wall)

    def test_refusals(self):
        trace = self.put('t.trace', harness.unpacked('traces/leak-go1.22'))
        self.assert_refused(harness.run('cut', trace, '--from', '1ms'), '-o OUT')
        self.assert_refused(harness.run('cut', trace, '--from', '2ms', '--to', '1ms', '-o', self.path('x')), '--from is not before --to')
        r = harness.run('cut', '-q', trace, '--from', '1h', '-o', self.path('x.lanes'))
        self.assertEqual(r.code, harness.INPUT)
        self.assertIn('ends before --from', r.err)
        self.assertFalse(os.path.exists(self.path('x.lanes')))


class GoCut(Base):
    """A Go trace out of a Go trace: generations, byte for byte."""

    def setUp(self):
        super().setUp()
        self.data = harness.unpacked('traces/annot-gens-go1.25')
        self.trace = self.put('t.trace', self.data)

    def test_all_of_it_is_the_same_file(self):
        out = self.path('all.trace')
        self.golanes('cut', '-q', self.trace, '-o', out)
        with open(out, 'rb') as f:
            self.assertEqual(f.read(), self.data)

    def test_a_part_is_read_as_it_was(self):
        whole = self.events(self.trace)
        starts = [i for i, e in enumerate(whole) if e['name'] == 'ClockSync']
        self.assertGreater(len(starts), 4)
        begin, end = whole[starts[2]]['t'], whole[starts[3]]['t']
        out = self.path('part.trace')
        said = self.golanes('cut', self.trace, '--from', f'{begin + 1}ns', '--to', f'{end + 1}ns', '-o', out).err
        self.assertIn('2 of ', said)
        self.golanes('info', '-q', '--strict', out)
        part = self.events(out)
        wanted = whole[starts[2]:starts[4]]
        self.assertEqual(len(part), len(wanted))
        for got, want in zip(part, wanted):
            # What a thread was doing is known from the first state that it tells of on.
            g = (got.get('g'), want.get('g')) if got['name'] not in ('ProcStatus', 'GoStatus') else (0, 0)
            self.assertEqual(g[0], g[1], f'{got} {want}')
            self.assertEqual((got['t'], got['name'], got.get('m'), got.get('func'), got.get('line')),
                             (want['t'] - begin, want['name'], want.get('m'), want.get('func'), want.get('line')))

    def test_the_end_that_is_missing_is_left_out(self):
        name = 'malformed/trunc-batchboundary-pipeline-gens-go1.26'
        out = self.path('x.trace')
        r = harness.run('cut', self.put('m.trace', harness.unpacked(name)), '--go', '-o', out)
        if r.code == harness.DONE:
            self.golanes('info', '-q', '--strict', out)
            self.assertIn('damaged', r.err)
        else:
            self.assertEqual(r.code, harness.INPUT)
            self.assertFalse(os.path.exists(out))

    def test_refusals(self):
        old = self.put('old.trace', harness.unpacked('traces/leak-go1.21'))
        r = harness.run('cut', '-q', old, '-o', self.path('x.trace'))
        self.assertEqual(r.code, harness.INPUT)
        self.assert_refused(r, 'before 1.22')
        r = harness.run('cut', '-q', self.lanes(old), '-o', self.path('x.trace'))
        self.assertEqual(r.code, harness.INPUT)
        self.assert_refused(r, '.lanes')
        r = harness.run('cut', '-q', self.trace, '--from', '1h', '-o', self.path('x.trace'))
        self.assertEqual(r.code, harness.DONE)  # the last generation has no known end


class Merge(Base):
    def test_each_process_is_what_it_was_alone(self):
        a, b = (self.put(f'{i}.trace', harness.unpacked(name)) for i, name in enumerate(('traces/mutex-go1.26', 'traces/annot-go1.27')))
        out = self.path('both.lanes')
        self.golanes('merge', '-q', a, b, '-o', out)
        both = self.events(out)
        times = [e['t'] for e in both]
        self.assertEqual(self.summary(out)['events']['total'], len(self.events(a)) + len(self.events(b)))
        self.assertLess(sum(y < x for x, y in zip(times, times[1:])), len(times) // 20)
        rows = self.rows(out, 'goroutines')
        for process, path in enumerate((a, b)):
            mine = {g['g'] & (1 << 48) - 1: g for g in rows if g['g'] >> 48 == process}
            alone = {g['g']: g for g in self.rows(path, 'goroutines')}
            self.assertEqual(set(mine), set(alone))
            ended = 0
            for number, g in alone.items():
                self.assertEqual(mine[number].get('func'), g.get('func'))
                if not g['preexisting'] and g['end_state'] == 'NotExist':
                    ended += 1
                    for key in ('running_ns', 'runnable_ns', 'waiting_ns', 'syscall_ns', 'transitions'):
                        self.assertEqual(mine[number][key], g[key])
            self.assertGreater(ended, 5)
        stacks = lambda path: collections.Counter((e['name'], e.get('func'), e.get('line')) for e in self.events(path))
        self.assertEqual(stacks(out), stacks(a) + stacks(b))

    def test_walls_put_them_in_place(self):
        a = self.put('a.trace', harness.unpacked('traces/mutex-go1.26'))
        part = self.path('late.lanes')
        self.golanes('cut', '-q', a, '--from', '2ms', '-o', part)
        self.golanes('merge', '-q', part, a, '-o', self.path('both.lanes'))
        events = self.events(self.path('both.lanes'))
        late = [e['t'] for e in events if e.get('g', 0) >> 48 == 0 and e.get('g') and 'inferred' not in e.get('flags', [])]
        self.assertGreaterEqual(min(late), 2 * MS - 1)
        first = self.events(part, '--wall', '--type', 'ClockSync')[0]['wall']
        self.assertIn(first, [e['wall'] for e in self.events(self.path('both.lanes'), '--wall', '--type', 'ClockSync')])

    def test_without_a_clock(self):
        a = self.put('a.trace', harness.unpacked('traces/leak-go1.22'))
        b = self.put('b.trace', harness.unpacked('traces/leak-go1.21'))
        out = self.path('x.lanes')
        r = harness.run('merge', '-q', a, b, '-o', out)
        self.assertEqual(r.code, harness.INPUT)
        self.assert_refused(r, 'a.trace', '--offset')
        self.assertFalse(os.path.exists(out))
        self.golanes('merge', '-q', a, b, '--offset', '5ms', '-o', out)
        times = [e['t'] for e in self.events(out) if e.get('g', 0) >> 48 == 1]
        self.assertGreaterEqual(min(times), 5 * MS)
        self.assert_refused(harness.run('merge', a, b, '--offset', '1ms', '--offset', '2ms', '-o', out), '--offset', '2 times')
        self.assert_refused(harness.run('merge', a, '-o', out), 'FILE')

    def test_three(self):
        paths = [self.put(f'{i}.trace', harness.unpacked('traces/leak-go1.22')) for i in range(3)]
        self.golanes('merge', '-q', *paths, '--offset', '1ms', '--offset', '2ms', '-o', self.path('x.lanes'))
        self.assertEqual({g['g'] >> 48 for g in self.rows(self.path('x.lanes'), 'goroutines')}, {0, 1, 2})


if __name__ == '__main__':
    harness.main()
