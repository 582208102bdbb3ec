#!/usr/bin/env python3
"""golanes info and summary: what is said of a file, the same of a trace and of its .lanes."""
import collections
import json
import os

from harness import Case, CUT, DAMAGED, SMALL, V1, V2, main

ANNOT = os.path.join(SMALL, 'traces', 'annot-gens-go1.25.trace.zst')


class Info(Case):
    def info(self, path, **more):
        return json.loads(self.golanes('info', '--json', path, **more).out)

    def test_a_go_trace_is_looked_over(self):
        for path, header, versions in [(V1, 21, '1.21'), (V2, 22, '1.22'), (ANNOT, 25, '1.25')]:
            i = self.info(path)
            self.assertEqual((i['kind'], i['sound'], i['go_versions']), ('gotrace', True, versions))
            g = i['gotrace']
            self.assertEqual(g['header_version'], header)
            self.assertEqual(g['bytes_walked'], i['bytes'])
            self.assertTrue(g['ends_well'])
            count = int(self.golanes('events', '-c', path).out)
            self.assertLess(abs(g['events_estimate'] - count), count * 0.5 + 100)
            text = self.golanes('info', path).out.decode()
            self.assertIn(f'Go {versions}', text)
            self.assertIn('estimated', text)

    def test_a_cut_trace_is_seen_to_be_cut(self):
        self.assertFalse(self.info(CUT)['sound'])
        self.golanes('info', '--strict', CUT, code=DAMAGED)
        self.golanes('info', '--strict', V2)

    def test_a_trace_of_no_events_is_said_to_be_empty(self):
        empty = self.put('empty.trace', b'go 1.26 trace\0\0\0')
        self.assertTrue(self.info(empty)['sound'])
        r = self.golanes('summary', '--strict', empty)
        self.assertIn('holds no events', r.err)
        self.assertIn('holds no events', self.golanes('events', self.lanes(empty)).err)

    def test_a_lanes_file_tells_counts_that_are_true(self):
        for path in (V1, V2, ANNOT):
            lanes = self.lanes(path)
            i = self.info(lanes)
            events = self.golanes('events', '--json', path).json_lines()
            self.assertEqual((i['kind'], i['sound'], i['events']), ('lanes', True, len(events)))
            self.assertEqual(i['by_type'], dict(collections.Counter(e['name'] for e in events)))
            self.assertEqual(i['span_ns'], max(e['t'] for e in events) - min(e['t'] for e in events))
            self.assertEqual(i['bytes'], os.path.getsize(lanes))
            parts = ('bytes_events', 'bytes_tables', 'bytes_keyframes', 'bytes_summaries', 'bytes_index')
            self.assertLessEqual(sum(i['lanes'][p] for p in parts), i['bytes'])
            self.assertEqual(i['meta']['source.kind'], 'gotrace')
            self.assertEqual(i['meta']['source.name'], path)
            self.assertEqual(i['meta']['import.complete'], 'true')
            self.assertEqual(i['missing']['complete'], True)
            text = self.golanes('info', lanes).out.decode()
            for name, n in i['by_type'].items():
                self.assertRegex(text, rf'(?m)^  {name} +{n:,}\b')

    def test_wall_clocks_survive_the_import(self):
        a, b = self.info(ANNOT), self.info(self.lanes(ANNOT))
        # A look at a trace takes the clock as it stands, an import refers it to time 0.
        self.assertLess(abs(a['wall_unix_ns'] - b['wall_unix_ns']), 10 ** 7)
        self.assertIn('not known', self.golanes('info', V2).out.decode())

    def test_damage_survives_the_import(self):
        i = self.info(self.lanes(CUT))
        self.assertFalse(i['sound'])
        self.assertGreater(i['missing']['damage_count'], 0)
        for d in i['missing']['damages']:
            self.assertTrue(d['reason'])

    def test_lines_fit_the_width(self):
        for path in (V2, self.lanes(V2)):
            for width in (40, 60, 100):
                for line in self.golanes('info', '--width', str(width), path).lines():
                    self.assertLessEqual(len(line), width, line)
                for line in self.golanes('summary', '--width', str(max(width, 60)), path).lines():
                    self.assertLessEqual(len(line), max(width, 60), line)


class Summary(Case):
    def test_a_lanes_file_sums_up_as_its_trace(self):
        for path in (V1, V2, ANNOT, CUT):
            lanes = self.lanes(path)
            a, b = (json.loads(self.golanes('summary', '-q', '--json', f).out) for f in (path, lanes))
            # What belongs to the file itself, not to the trace.
            for own in ('name', 'format', 'size'):
                a['file'].pop(own, None)
                b['file'].pop(own, None)
            self.assertEqual(a, b)

    def test_top_bounds_the_tables(self):
        short = self.golanes('summary', '--top', '1', V2).lines()
        self.assertLess(len(short), len(self.golanes('summary', '--top', '0', V2).lines()))

    def test_no_colour_in_a_pipe(self):
        self.assertNotIn(b'\x1b', self.golanes('summary', V2).out)


if __name__ == '__main__':
    main()
