#!/usr/bin/env python3
"""golanes events: every line is what it says, and filters agree with a slow reference over all lines."""
import json
import os
import random
import re

from harness import Case, CUT, INPUT, SMALL, V1, V2, main

ANNOT = os.path.join(SMALL, 'traces', 'annot-gens-go1.25.trace.zst')
MUTEX = os.path.join(SMALL, 'traces', 'mutex-go1.26.trace.zst')
SYSC = os.path.join(SMALL, 'traces', 'sysc-go1.21.trace.zst')
CORO = os.path.join(SMALL, 'traces', 'coro-go1.24.trace.zst')
TRACES = (V1, V2, ANNOT, MUTEX, SYSC, CUT)


def texts(event):
    """What --grep looks at."""
    found = [v for k, v in event.get('args', {}).items()
             if isinstance(v, str) and k in ('reason', 'label', 'name', 'category', 'message', 'elem_type')]
    stacks = [event.get('stack') or []] + [v for v in event.get('args', {}).values() if isinstance(v, list)]
    for stack in stacks:
        for frame in stack:
            found += [frame['func'], frame.get('file', '')]
    return [t for t in found if t]


def goroutines(event):
    named = [event.get('g', 0)]
    if 'goroutine' in event.get('args', {}):
        named.append(event['args']['goroutine'] or 0)
    return named


class Events(Case):
    def everything(self, trace):
        """Each event as (text line, JSON with stacks)."""
        lines = self.golanes('events', '-q', trace).lines()
        whole = self.golanes('events', '-q', '--json', '--stacks', trace).json_lines()
        self.assertEqual(len(lines), len(whole))
        return lines, whole

    def test_every_line_is_valid_json_with_the_same_events_as_the_text(self):
        for trace in TRACES:
            lines, whole = self.everything(trace)
            self.assertGreater(len(whole), 100)
            short = self.golanes('events', '-q', '--json', trace).json_lines()
            for line, event, brief in zip(lines, whole, short):
                time, name = line.split()[:2]
                self.assertEqual(name, event['name'])
                self.assertEqual(int(round(float(time[:-2]) * 1e6)), event['t'])
                self.assertLessEqual(set(event), {'t', 'name', 'm', 'p', 'g', 'args', 'stack', 'flags'})
                self.assertEqual((event['t'], event['name']), (brief['t'], brief['name']))
                if 'stack' in event:
                    own = [f for f in event['stack'] if not re.match(r'runtime\.|internal/runtime/', f['func']) and f['func']]
                    site = (own or event['stack'])[0]
                    self.assertEqual(brief.get('func'), site['func'])
                    self.assertIn(f' {site["func"]}', line)
                else:
                    self.assertNotIn('func', brief)

    def test_text_with_stacks_has_the_same_frames(self):
        lines, whole = self.everything(V2)
        text = self.golanes('events', '-q', '--stacks', V2).lines()
        frames = sum(len(e.get('stack', [])) for e in whole)
        frames += sum(len(v) + 1 for e in whole for v in e.get('args', {}).values() if isinstance(v, list) and v)
        self.assertEqual(len(text), len(lines) + frames)

    def check(self, trace, options, keep, whole, lines):
        want = [line for line, event in zip(lines, whole) if keep(event)]
        for path in (trace, self.made):
            got = self.golanes('events', '-q', *options, path).lines()
            self.assertEqual(len(got), len(want), (options, path))
            self.assertEqual(got, want, (options, path))
            count = int(self.golanes('events', '-q', '--count', *options, path).out)
            self.assertEqual(count, len(want), (options, path))
        return len(want)

    def test_filters_agree_with_a_slow_reference(self):
        chance = random.Random(7)
        for trace in TRACES:
            lines, whole = self.everything(trace)
            self.made = self.lanes(trace)
            names = sorted({e['name'] for e in whole})
            ids = sorted({g for e in whole for g in goroutines(e)})
            last = max(e['t'] for e in whole)
            found = 0
            for name in chance.sample(names, 4):
                found += self.check(trace, ['--type', name.lower()], lambda e: e['name'] == name, whole, lines)
            pair = chance.sample(names, 2)
            found += self.check(trace, ['--type', ','.join(pair)], lambda e: e['name'] in pair, whole, lines)
            found += self.check(trace, ['--type', 'GoSyscall'], lambda e: e['name'].startswith('GoSyscall'), whole, lines)
            for g in chance.sample(ids, min(3, len(ids))):
                found += self.check(trace, ['-g', f'G{g}' if g % 2 else str(g)], lambda e: g in goroutines(e), whole, lines)
            two = chance.sample(ids, 2)
            found += self.check(trace, ['-g', str(two[0]), '-g', str(two[1])],
                                lambda e: any(g in two for g in goroutines(e)), whole, lines)
            for _ in range(4):
                a, b = sorted(chance.sample(range(last + 2), 2))
                found += self.check(trace, ['--from', f'{a}ns', '--to', f'{b}ns'], lambda e: a <= e['t'] < b, whole, lines)
            found += self.check(trace, ['--from', f'{last // 2}ns'], lambda e: e['t'] >= last // 2, whole, lines)
            found += self.check(trace, ['--to', f'{last // 2}ns'], lambda e: e['t'] < last // 2, whole, lines)
            self.assertEqual(self.check(trace, ['--from', f'{last + 1}ns'], lambda e: e['t'] > last, whole, lines), 0)
            for regex in ('chan (send|receive)', r'main\.leak[RS]', 'sync', r'\.go$', '^sleep$', 'nothing-like-that'):
                found += self.check(trace, ['--grep', regex], lambda e: any(re.search(regex, t) for t in texts(e)), whole, lines)
            found += self.check(trace, ['-i', '-e', 'CHAN'],
                                lambda e: any(re.search('CHAN', t, re.I) for t in texts(e)), whole, lines)
            half = last // 2
            found += self.check(trace, ['-e', 'main', '-t', 'GoBlock,GoCreate', '--to', f'{half}ns'],
                                lambda e: e['name'] in ('GoBlock', 'GoCreate') and e['t'] < half
                                and any('main' in t for t in texts(e)), whole, lines)
            self.assertGreater(found, 100)

    def test_limit_takes_the_first(self):
        lines, _ = self.everything(V2)
        for n in (0, 1, 7, len(lines), len(lines) + 5):
            self.assertEqual(self.golanes('events', '-q', '--limit', str(n), V2).lines(), lines[:n])
            self.assertEqual(int(self.golanes('events', '-q', '--count', '--limit', str(n), V2).out), min(n, len(lines)))
        self.assertEqual(self.golanes('events', '--limit', '3', CUT).err, '', 'what was not read is not complained of')

    def test_count_as_json(self):
        self.assertEqual(json.loads(self.golanes('events', '-q', '-c', '-j', V2).out),
                         {'count': len(self.golanes('events', '-q', V2).lines())})

    def test_wall_clock_times(self):
        a = self.golanes('events', '--wall', '--json', ANNOT).json_lines()
        zero = json.loads(self.golanes('info', '--json', self.lanes(ANNOT)).out)['wall_unix_ns']
        sync = next(e for e in a if e['name'] == 'ClockSync')
        self.assertLess(abs(sync['args']['wall_unix_ns'] - sync['t'] - zero), 10 ** 7)
        for e in a[:500]:
            match = re.fullmatch(r'(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})Z', e['wall'])
            self.assertEqual(int(match.group(2)), (zero + e['t']) % 10 ** 9)
        lanes = self.lanes(ANNOT)
        self.assertEqual(self.golanes('events', '--wall', lanes).out, self.golanes('events', '--wall', ANNOT).out)
        later = [e for e in a if e['name'] == 'GoEnd']
        for path in (ANNOT, lanes):
            self.assertEqual(self.golanes('events', '-w', '-j', '-t', 'goend', path).json_lines(), later)
        self.assert_refused(self.golanes('events', '--wall', V1, code=INPUT), '--wall')

    def test_times_of_the_text_can_be_given_back(self):
        lines, whole = self.everything(V2)
        at = lines[len(lines) // 2].split()[0]
        t = whole[len(lines) // 2]['t']
        got = self.golanes('events', '--from', at, V2).lines()
        self.assertEqual(got, [l for l, e in zip(lines, whole) if e['t'] >= t])

    def test_a_mad_expression_is_given_up_not_waited_for(self):
        r = self.golanes('events', '-q', '--grep', r'^([a-z0-9/._-]+)+[!?]$', V2, code=5)
        self.assertIn('too many steps', r.err)

    def test_coroutines_are_flagged(self):
        flagged = [e for e in self.golanes('events', '-q', '--json', CORO).json_lines() if 'flags' in e]
        self.assertTrue(any('coroutine' in e['flags'] for e in flagged))
        self.assertIn('[coroutine]', self.golanes('events', '-q', CORO).out.decode())


if __name__ == '__main__':
    main()
