"""Perfetto's format: decoded by protoc with the published field numbers, and by a reader of our own, which must agree."""
import collections
import json
import os
import re
import shutil
import subprocess
import sys

sys.path[:0] = [os.path.join(os.path.dirname(__file__), '..', 'cli'), os.path.dirname(__file__)]
import harness
from protobuf import message

BEGIN, END, INSTANT, COUNTER = 1, 2, 3, 4
FACTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'perfetto_facts.proto')


def one(m, field, otherwise=None):
    return m[field][-1] if field in m else otherwise


def text(value):
    return bytes(value).decode()


class Trace:
    """Tracks by number, slices (track, begin, end, name, category), flows."""

    def __init__(self, data):
        packets = [message(p) for p in message(data)[1]]
        self.tracks, self.slices, self.counters = {}, [], collections.defaultdict(list)
        self.starts, self.ends, self.instants, self.unpaired = {}, {}, [], 0
        names, categories, events = {}, {}, []
        if one(packets[0], 13) != 3:
            raise ValueError('the first packet does not clear the state')
        for order, p in enumerate(packets):
            if 12 in p:
                interned = message(p[12][0])
                for field, table in ((1, categories), (2, names)):
                    for entry in interned.get(field, []):
                        m = message(entry)
                        if m[1][0] in table:
                            raise ValueError('an interned number is given twice')
                        table[m[1][0]] = text(m[2][0])
            if 60 in p:
                m = message(p[60][0])
                self.tracks[m[1][0]] = m
            if 11 in p:
                m = message(p[11][0])
                m['name'] = names[m[10][0]] if 10 in m else text(m[23][0]) if 23 in m else None
                m['category'] = categories[m[3][0]] if 3 in m else None
                events.append((one(p, 8), order, m))
        self.packets = len(packets)
        self._pair(sorted(events, key=lambda e: e[:2]))

    def _pair(self, events):
        """As a trace processor does: by time, ties in the order of the file, a stack for each track."""
        stacks = collections.defaultdict(list)
        for time, _, m in events:
            track = m[11][0]
            if track not in self.tracks:
                raise ValueError(f'track {track} was not described')
            for flow in m.get(47, []):
                self.starts[flow] = time
            for flow in m.get(48, []):
                self.ends[flow] = time
            if m[9][0] == BEGIN:
                stacks[track].append((time, m))
            elif m[9][0] == END:
                if not stacks[track]:
                    self.unpaired += 1
                    continue
                begin, b = stacks[track].pop()
                self.slices.append((track, begin, time, b['name'], b['category']))
            elif m[9][0] == COUNTER:
                self.counters[text(self.tracks[track][2][0])].append((time, m[30][0]))
            else:
                self.instants.append((time, m['name']))
        self.unpaired += sum(map(len, stacks.values()))


class Perfetto(harness.Case):
    def load(self, name, *more):
        trace = self.put('t.trace', harness.unpacked(name))
        data = self.golanes('export', '-q', trace, '--to', 'perfetto', *more).out
        return trace, data, Trace(data)

    def test_slices_flows_tracks(self):
        for name in ('traces/annot-gens-go1.25', 'traces/leak-go1.21'):
            trace, _, t = self.load(name)
            self.assertEqual(t.unpaired, 0)
            self.assertEqual(set(t.starts), set(t.ends))
            for flow, time in t.starts.items():
                self.assertLessEqual(time, t.ends[flow])
            sums = collections.Counter()
            for _, begin, end, slice_name, category in t.slices:
                if category in ('state', 'waiting'):
                    sums['waiting' if category == 'waiting' else slice_name] += end - begin
            want = json.loads(self.golanes('summary', '--json', '-q', trace).out)
            self.assertEqual(sums['running'], want['goroutine_totals']['raw_sum']['running'])
            self.assertEqual(sums['runnable'], want['goroutine_totals']['raw_sum']['runnable'])
            stops = [s for s in t.slices if s[3] == 'stop the world']
            self.assertEqual(len(stops), want['stw']['count'])
            for number, m in t.tracks.items():
                self.assertTrue(number and (5 not in m or m[5][0] in t.tracks), f'track {number}: its parent is missing')

    def test_regions_and_counters(self):
        _, _, t = self.load('traces/annot-gens-go1.25')
        self.assertTrue([s for s in t.slices if s[4] == 'region'])
        self.assertTrue([s for s in t.slices if s[4] == 'task'])
        self.assertIn('goroutines running', t.counters)

    def test_protoc_knows_every_field(self):
        if not shutil.which('protoc'):
            self.skipTest('protoc is not installed (protobuf-compiler)')
        _, data, t = self.load('traces/annot-go1.27')
        p = subprocess.run(['protoc', '--decode=Trace', '--proto_path=' + os.path.dirname(FACTS), FACTS], input=data,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=120)
        self.assertEqual(p.returncode, 0, p.stderr.decode())
        lines = p.stdout.decode().splitlines()
        unknown = [line for line in lines if re.match(r'\s*\d+\s*[:{]', line)]
        self.assertEqual(unknown, [])
        self.assertEqual(sum(line.startswith('packet {') for line in lines), t.packets)
        self.assertEqual(sum('TYPE_SLICE_END' in line for line in lines), len(t.slices))


if __name__ == '__main__':
    harness.main()
