"""Trace Event JSON, read by a reader that shares nothing with the program: slices nest, flows are paired, times add up."""
import bisect
import collections
import json
import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(__file__), '..', 'cli'), os.path.dirname(__file__)]
import harness

GOROUTINES, PROCS, COLLECTOR, DOINGS, TASKS = 1, 2, 3, 4, 5


def ns(microseconds):
    """Exact: the text has three decimals, and a double holds them up to months."""
    return round(microseconds * 1000)


class Chrome(harness.Case):
    def load(self, name, *more):
        trace = self.put('t.trace', harness.unpacked(name))
        r = self.golanes('export', '-q', trace, '--to', 'chrome', *more)
        return trace, json.loads(r.out)['traceEvents']

    def check_tracks(self, events):
        """Complete events of one track never overlap; begins and ends pair up in order, and their times grow."""
        tracks, stacks = collections.defaultdict(list), collections.defaultdict(list)
        newest = collections.defaultdict(lambda: -1 << 62)
        for e in events:
            where = e['pid'], e['tid']
            if e['ph'] == 'X':
                tracks[where].append((ns(e['ts']), ns(e['ts']) + ns(e['dur'])))
                self.assertGreaterEqual(e['dur'], 0)
            elif e['ph'] in 'BE':
                if not (e['ph'] == 'B' and e['ts'] <= 0.001):
                    self.assertGreaterEqual(ns(e['ts']), newest[where])
                    newest[where] = ns(e['ts'])
                if e['ph'] == 'B':
                    stacks[where].append(e)
                else:
                    self.assertTrue(stacks[where], f'an end without a begin: {e}')
                    self.assertGreaterEqual(e['ts'], stacks[where].pop()['ts'])
        for where, spans in tracks.items():
            spans.sort()
            for (b1, e1), (b2, e2) in zip(spans, spans[1:]):
                self.assertLessEqual(e1, b2, f'track {where}: {b1}..{e1} and {b2}..{e2} overlap')
        for where, open_ones in stacks.items():
            self.assertEqual(open_ones, [], f'track {where}')
        return tracks

    def check_flows(self, events):
        """Each flow starts once and ends once, not before it started; both lie in a slice of their goroutine."""
        starts = {e['id']: e for e in events if e['ph'] == 's'}
        ends = {e['id']: e for e in events if e['ph'] == 'f'}
        self.assertEqual(len(starts), sum(e['ph'] == 's' for e in events))
        self.assertEqual(set(starts), set(ends))
        slices = collections.defaultdict(list)
        for e in events:
            if e['ph'] == 'X':
                slices[e['pid'], e['tid']].append((ns(e['ts']), ns(e['ts']) + ns(e['dur']), e['name']))
        for each in slices.values():
            each.sort()
        for number, s in starts.items():
            f = ends[number]
            self.assertLessEqual(ns(s['ts']), ns(f['ts']))
            self.assertEqual(f['bp'], 'e')
            for e, running in ((s, False), (f, True)):
                at, track = ns(e['ts']), slices[e['pid'], e['tid']]
                i = bisect.bisect_right(track, (at, 1 << 62, ''))
                around = [x for x in track[max(0, i - 4):i] if x[0] <= at <= x[1]]
                self.assertTrue(around, f'no slice around {e}')
                if running:
                    self.assertTrue(any(x[2] == 'running' and x[0] == at for x in around), f'{e}: {around}')
        return len(starts)

    def check_names(self, events):
        named = {(e['pid'], e['tid']) for e in events if e['ph'] == 'M' and e['name'] == 'thread_name'}
        pids = {e['pid'] for e in events if e['ph'] == 'M' and e['name'] == 'process_name'}
        for e in events:
            self.assertIn(e['pid'], pids)
            if e['ph'] == 'X':
                self.assertIn((e['pid'], e['tid']), named)

    def test_tracks_flows_names(self):
        flows = 0
        for name in ('traces/mutex-go1.26', 'traces/annot-gens-go1.25', 'traces/coro-go1.24', 'traces/msort-go1.19', 'traces/leak-go1.21'):
            with self.subTest(name):
                _, events = self.load(name)
                self.check_tracks(events)
                self.check_names(events)
                flows += self.check_flows(events)
        self.assertGreater(flows, 1000)

    def test_states_add_up_to_the_summary(self):
        for name in ('traces/mutex-go1.26', 'traces/msort-go1.22'):
            trace, events = self.load(name)
            sums = collections.Counter()
            for e in events:
                if e['ph'] == 'X' and e['pid'] == GOROUTINES:
                    kind = 'waiting' if e['cat'] == 'waiting' else e['name']
                    sums[kind] += ns(e['dur'])
            want = json.loads(self.golanes('summary', '--json', '-q', trace).out)['goroutine_totals']['raw_sum']
            self.assertEqual(sums['running'], want['running'])
            self.assertEqual(sums['runnable'], want['runnable'])
            self.assertEqual(sums['system call'], want['syscall'])

    def test_pauses_and_counters(self):
        trace, events = self.load('traces/msort-go1.22')
        want = json.loads(self.golanes('summary', '--json', '-q', trace).out)['stw']
        stops = [e for e in events if e['ph'] == 'X' and e['name'] == 'stop the world']
        self.assertEqual(len(stops), want['count'])
        self.assertTrue({e['name'] for e in events if e['ph'] == 'C'} >= {'heap live (bytes)', 'goroutines running'})

    def test_a_part_and_some_goroutines(self):
        _, events = self.load('traces/mutex-go1.26', '--from', '1ms', '--to', '2ms')
        self.check_tracks(events)
        self.check_flows(events)
        times = [ns(e['ts']) for e in events if 'ts' in e]
        self.assertGreaterEqual(min(times), 1000000)
        self.assertLess(max(times), 2000000)
        _, whole = self.load('traces/mutex-go1.26')
        some = sorted({e['tid'] for e in whole if e['ph'] == 'X' and e['pid'] == GOROUTINES})[3:5]
        _, events = self.load('traces/mutex-go1.26', '-g', str(some[0]), '-g', str(some[1]))
        self.assertEqual({e['tid'] for e in events if e['ph'] == 'X' and e['pid'] == GOROUTINES}, set(some))

    def test_damaged_traces_stay_valid(self):
        for name in ('malformed/trunc-60pct-leak-go1.26', 'malformed/flip-event2-leak-go1.26', 'malformed/flip-many-leak-go1.26'):
            _, events = self.load(name)
            self.check_tracks(events)
            self.check_flows(events)


if __name__ == '__main__':
    harness.main()
