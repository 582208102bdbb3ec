#!/usr/bin/env python3
"""FORMAT.md tells the truth: its lists are those of the event table, and a reader written from it (lanes_reader.py) finds
the same in files as golanes does; what it says is to be refused or skipped, golanes refuses or skips.

Environment: GOLANES, GOLANES_SOURCE, MAKE_LANES, EVENTS_PAGE.
"""
import collections
import json
import os
import random
import struct
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.environ['GOLANES_SOURCE'], 'tests', 'cli'))
from harness import Case, INPUT, SMALL, SOURCE, main, varint
import lanes_reader
from lanes_reader import Reader, xxh3

SPEC = os.path.join(SOURCE, 'format', 'FORMAT.md')
EVENTS_AT_MOST = 6000  # of a trace, which a slow reader is given


def rehash(header):
    """A chunk header with its hash made right."""
    return header[:80] + struct.pack('<Q', xxh3(header[:80]))


def chunk(kind, payload, zero=0, level=0):
    return rehash(b'\x90GLC' + struct.pack('<HHIHHQ', kind, level, 0, zero, 0, len(payload)) + bytes(48) +
                  struct.pack('<Q', xxh3(payload)) + bytes(8)) + payload


def file_header(major=1, minor=0, size=64, zero=0):
    start = b'\x8fLanes\r\n' + struct.pack('<HHIQ', major, minor, size, zero) + bytes(32)
    return start + struct.pack('<Q', xxh3(start)) + bytes(size - 64)


class Lists(unittest.TestCase):
    def test_lists_are_those_of_the_event_table(self):
        made = subprocess.run([os.environ['EVENTS_PAGE'], SPEC], stdout=subprocess.PIPE, check=True).stdout
        with open(SPEC, 'rb') as f:
            self.assertEqual(f.read(), made, 'events_page format/FORMAT.md prints what is to stand there')


@unittest.skipUnless(lanes_reader.ZSTD and lanes_reader.XXHASH, 'the shared libraries of zstd and xxhash are not found')
class Spec(Case):
    def setUp(self):
        super().setUp()
        self.document = lanes_reader.Document(SPEC)
        self.made = self.path('everything.lanes')
        subprocess.run([os.environ['MAKE_LANES'], self.made], check=True)
        with open(self.made, 'rb') as f:
            self.bytes = f.read()

    def same(self, path, events=None):
        """Both readers find the same events in a file; returns them."""
        want = self.golanes('events', '--quiet', '--json', '--stacks', path).lines()
        reader = Reader(path, self.document)
        n = 0
        for n, event in enumerate(reader.events(), 1):
            self.assertLessEqual(n, len(want))
            self.assertEqual(reader.as_json(event), json.loads(want[n - 1]), f'{path}, event {n}')
        self.assertEqual(n, len(want))
        if events is not None:
            self.assertEqual(n, events)
        return reader

    def test_traces_of_go_are_read_alike(self):
        read = 0
        for name in sorted(os.listdir(os.path.join(SMALL, 'traces'))):
            if '.trace' not in name:
                continue
            lanes = self.lanes(os.path.join(SMALL, 'traces', name))
            if int(self.golanes('events', '--quiet', '--count', lanes).out) <= EVENTS_AT_MOST:
                with self.subTest(trace=name):
                    reader = self.same(lanes)
                    self.assertEqual(reader.meta['source.kind'], 'gotrace')
                    read += 1
        self.assertGreater(read, 5)

    def test_a_file_with_everything_is_read_alike(self):
        reader = self.same(self.made, 20000)
        self.assertEqual(reader.lost, [])
        self.assertTrue(reader.indexed)
        self.assertEqual(reader.meta, {'source.kind': 'changed'})
        kinds = {kind for kind, _, _ in reader.chunks}
        self.assertEqual(kinds, set(range(1, 10)))

    def test_what_stands_beside_the_events_agrees_with_them(self):
        for path in (self.made, self.lanes(os.path.join(SMALL, 'traces', 'pipeline-p1-go1.24.trace.zst'))):
            reader = Reader(path, self.document)
            keyframes = dict(reader.keyframes())
            self.assertTrue(keyframes or path != self.made)
            nodes = {(level, number): (node, types) for level, number, node, types, _ in reader.summaries()}
            life, ended, made, first, clock, seen = {}, [], [], 0, None, {}
            for number, events in reader.event_chunks():
                if number in keyframes:
                    self.same_states(life, keyframes[number])
                counts, before, least = collections.Counter(), clock, None
                for code, time, _, _, g, args, stack, _ in events:
                    counts[code] += 1
                    clock = time if clock is None else max(clock, time)
                    least = time if least is None else min(least, time)
                    self.live(life, ended, seen, number, code, time, g, args, stack)
                    if code == 24:
                        made.append((args[0], args[1], g, time % 2 ** 64, args[2], stack))
                node, types = nodes[0, number]
                self.assertEqual((node['first'], node['events'], types), (first, sum(counts.values()), counts))
                # The first chunk's time from is its first event's, the clock's start.
                self.assertEqual(node['to'], clock)
                if before is not None:
                    self.assertEqual(node['from'], min(before, least))
                first += sum(counts.values())
            self.same_tables(reader, life, ended, made)
            self.whole_pyramid(nodes)

    @staticmethod
    def live(life, ended, seen, number, code, time, g, args, stack):
        """What an event does to states of goroutines, as golanes-format(5) has it."""
        moves = {1: (0, args[1:2]), 2: (0, [3]), 3: (None, [5]), 4: (0, [2]), 5: (None, [2]), 6: (None, [1]), 7: (None, [4]),
                 8: (None, [2 if args[:1] not in ([], [0]) else 3]), 9: (0, args[2:3]), 11: (0, args[1:2])}
        if code not in moves:
            return
        who, to = moves[code]
        who, to = g if who is None else args[who], to[0]
        if who == 0 or to > 5 or (who not in life and to < 2):
            if who and who in life and to == 0:
                raise AssertionError('a state that the tests do not make')
            return
        row = life.get(who)
        if to < 2:
            ended.append((who, life.pop(who)))
            return
        if row is None:
            row = life[who] = {'state': to, 'since': time, 'creator': g if code == 1 else args[3] if code == 11 else 0,
                               'created': time if code == 1 else None, 'start': args[2] if code == 1 else 0, 'first': number}
        if row['state'] != to:
            row.update(state=to, since=time)

    def same_states(self, life, rows):
        self.assertEqual(set(rows), set(life))
        for g, (state, since, _, _, creator, created, start) in rows.items():
            want = life[g]
            self.assertEqual((state, since, creator, created, start),
                             (want['state'], want['since'], want['creator'], want['created'], want['start']), f'goroutine {g}')

    def same_tables(self, reader, life, ended, made):
        rows = list(reader.goroutine_rows())
        want = [(g, row, False) for g, row in ended] + [(g, row, True) for g, row in sorted(life.items())]
        self.assertEqual([(g, bool(flags & 2)) for g, flags, *_ in rows], [(g, alive) for g, _, alive in want])
        for (_, flags, start, creator, first, _), (_, row, _) in zip(rows, want):
            self.assertEqual((start, creator, first, bool(flags & 1)),
                             (row['start'], row['creator'], row['first'], row['created'] is None))
        self.assertEqual(list(reader.channel_rows()), made)
        name = reader.strings.index(b'server') if made else 0
        self.assertEqual(list(reader.process_rows()), [(i, 100 + i, name, 0, 100 if i else 0) for i in range(3)] if made else [])

    def whole_pyramid(self, nodes):
        for (level, number), (node, types) in nodes.items():
            below = [nodes[level - 1, i] for i in range(8 * number, 8 * number + 8) if (level - 1, i) in nodes]
            self.assertTrue(level == 0 or below)
            if level:
                self.assertEqual(types, sum((collections.Counter(t) for _, t in below), collections.Counter()))
                for key in ('events', 'gc', 'stw', 'straddles', 'lost'):
                    self.assertEqual(node[key], sum(n[key] for n, _ in below))
                self.assertEqual((node['from'], node['to'], node['first']),
                                 (min(n['from'] for n, _ in below), max(n['to'] for n, _ in below), below[0][0]['first']))
        top = max(level for level, _ in nodes)
        self.assertEqual([k for k in nodes if k[0] == top], [(top, 0)])

    def test_cut_files_are_read_alike(self):
        random.seed(1)
        for size in random.sample(range(64, len(self.bytes)), 4):
            with self.subTest(size=size):
                self.same(self.put('cut.lanes', self.bytes[:size]))

    def test_what_is_to_be_skipped_is_skipped(self):
        # A later minor version: a longer file header, chunks of kinds and levels unknown today.
        second = 64 + 88 + struct.unpack_from('<Q', self.bytes, 64 + 16)[0]
        later = file_header(minor=9, size=200) + chunk(77, b'of a later version') + self.bytes[64:second] + \
            chunk(5, b'a high level', level=40) + chunk(0, b'') + self.bytes[second:]
        self.assertEqual(self.same(self.put('later.lanes', later), 20000).unknown, 2)
        info = json.loads(self.golanes('info', '--json', self.path('later.lanes')).out)
        self.assertEqual(info['lanes']['unknown_chunks'], 3)
        # Stretches that are no chunk at all.
        self.same(self.put('odd.lanes', self.bytes[:second] + b'\x90GLC, but no header' * 9 + self.bytes[second:]), 20000)

    def test_a_few_bytes_do_not_claim_that_millions_are_lost(self):
        def tables(first, texts):
            rows = b'\xff' + varint(first - 7904) + bytes([len(texts)]) + bytes(map(len, texts)) + b''.join(texts) + bytes(8)
            return chunk(2, struct.pack('<IHBBII', 1, 1, 0, 0, len(rows), len(rows)) + rows)
        # String ids that are out of reach: the chunk is lost by itself. Others leave a hole.
        end = struct.unpack_from('<Q', self.bytes, len(self.bytes) - 56)[0]
        for first, lost in ((3000000, 1), (20000, 0)):
            path = self.put('far.lanes', self.bytes[:end] + tables(first, [b'far away']))
            r = self.golanes('events', '--json', path)
            self.assertEqual(len(r.lines()), 20000)
            self.assertEqual('damaged' in r.err, bool(lost), r.err)

    def test_what_is_to_be_refused_is_refused(self):
        rest = self.bytes[64:]
        for what, data, word in (('major', file_header(major=2) + rest, 'version 2.0'),
                                 ('zero', file_header(zero=1) + rest, 'newer golanes'),
                                 ('size', file_header(size=4096 + 8) + rest, '4096'),
                                 ('hash', self.bytes[:60] + b'!' + self.bytes[61:], 'checksum'),
                                 ('chunk', self.bytes[:64] + chunk(3, b'', zero=1) + rest, 'later version')):
            with self.subTest(what=what):
                path = self.put('x.lanes', data)
                self.assertIn(word, self.golanes('events', path, code=INPUT).err)
                with self.assertRaises(lanes_reader.Refused):
                    Reader(path, self.document)


if __name__ == '__main__':
    main()
