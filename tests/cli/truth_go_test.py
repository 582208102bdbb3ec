#!/usr/bin/env python3
"""Reports against Go programs that do what is asked of them (truths/): recorded as they are, and as Go's own tracer saw them."""
import json
import os

import harness
from go_case import GoCase

# What a busy machine does to any program: it is looked at by itself.
MOODS = {'long-runnable', 'delayed-unpark'}


class GoTruths(GoCase):
    sources = {'truths': os.path.join(os.path.dirname(os.path.abspath(__file__)), 'truths')}

    def record(self, *what):
        """A busy machine may lose events, which is told; then nothing can be said of what is missing."""
        for _ in range(5):
            path = self.record_program(self.path('r.lanes'), self.programs['truths'], *what)
            if 'Lost' not in json.loads(self.golanes('info', '-q', '--json', path).out)['by_type']:
                return path
        self.skipTest('events are lost each time')
        return path

    def trace(self, *what):
        return self.trace_program(self.path('t.trace'), self.programs['truths'], *what)

    def answer(self, command, path, *options):
        return json.loads(self.golanes(command, '-q', '--json', *options, path).out)


class Anomalies(GoTruths):
    """Each kind is shown by a program, and nearly by another."""

    def kinds(self, path):
        d = self.answer('anomalies', path, '--top', '0')
        self.found = d['anomalies']
        return {k: v['n'] for k, v in d['kinds'].items() if v['n'] and k not in MOODS}

    def both(self, what, n, trace=False):
        """n times (0: it may come and go) in a recording (and in a trace of Go's own, where that tells), and never where it is only nearly that."""
        for take in (self.record, self.trace) if trace else (self.record,):
            self.assertEqual(self.kinds(take('-nearly', what)), {}, f'nearly {what}')
            for _ in range(1 if n else 10):  # on a busy machine a crowd may come too slowly to be one
                kinds = self.kinds(take(what))
                if kinds:
                    break
            self.assertEqual(set(kinds), {what})
            if n:
                self.assertEqual(kinds[what], n)

    def test_sends_on_a_closed_channel(self):
        self.both('send-on-closed', 3)
        waited = [a for a in self.found if a['was_waiting']]
        self.assertEqual(len(waited), 1)
        for a in self.found:
            self.assertTrue(a['other_site']['func'].startswith('main.sendOnClosed'), a)  # who closed it

    def test_closes_that_panic(self):
        self.both('close-of-closed', 1)
        self.both('close-of-nil', 1)

    def test_a_panic_that_kills(self):
        self.both('dead-by-panic', 1)
        self.assertEqual(self.found[0]['start'], 'main.deadByPanic.func2')

    def test_an_explosion(self):
        self.both('goroutine-explosion', 0, trace=True)
        self.assertGreaterEqual(self.found[0]['count'], 1000)
        self.assertEqual(self.found[0]['site']['func'], 'main.explosion')

    def test_a_busy_select(self):
        self.both('busy-select', 1)
        self.assertEqual((self.found[0]['start'], self.found[0]['count']), ('main.busySelect.func1', 20000))

    def test_a_storm_of_yields(self):
        self.both('gosched-storm', 0, trace=True)
        self.assertEqual(self.found[0]['start'], 'main.goschedStorm.func1')
        self.assertGreaterEqual(self.found[0]['count'], 1000)

    def test_a_storm_of_timers(self):
        for take in (self.record, self.trace):
            self.assertEqual(self.kinds(take('-nearly', 'timer-storm')), {})
            for _ in range(10):
                kinds = self.kinds(take('timer-storm'))
                kinds.pop('goroutine-explosion', None)  # there are 1200 of them
                if kinds:
                    break
            self.assertEqual(set(kinds), {'timer-storm'})

    def runnable(self, path):
        """Waits for a processor, longest first: from the table of spans."""
        rows = self.golanes('export', '-q', path, '--to', 'jsonl', '--table', 'spans').json_lines()
        return sorted((r['duration_ns'] for r in rows if r['state'] == 'Runnable' and not r['open_end'] and not r['open_begin']), reverse=True)

    def test_long_waits_for_a_processor(self):
        """However busy the machine is: those of 10 ms and more are told, and no other."""
        for take in (self.record, self.trace):
            for what in (('long-runnable',), ('-nearly', 'long-runnable')):
                path = take(*what)
                told = self.answer('anomalies', path, '--kind', 'long-runnable', '--top', '0')['anomalies']
                long = [ns for ns in self.runnable(path) if ns >= 10_000_000]
                self.assertEqual(sorted((a['ns'] for a in told), reverse=True), long)
                if len(what) == 1:
                    self.assertGreater(len([a for a in told if a['start'].startswith('main.longRunnable')]), 3)

    def test_wakes_that_a_pause_delays(self):
        for take in (self.record, self.trace):
            def delayed(*what):
                return self.answer('anomalies', take(*what, 'delayed-unpark'), '--kind', 'delayed-unpark')['anomalies']
            self.assertTrue([a for a in delayed() if a['start'].startswith('main.delayedUnpark')])
            self.assertEqual([a for a in delayed('-nearly') if a['text'] != 'GOMAXPROCS'], [])


class Pauses(GoTruths):
    def test_a_recording_knows_who_was_waited_for(self):
        """Some hash what cannot be stopped half-way: where the world waits long to stop, it waits for one of the program's."""
        for _ in range(12):  # it may be between two of them, or have no processor, when the world is to stop
            d = self.answer('pauses', self.record('delayed-unpark'), '--top', '0')
            for p in d['pauses']:
                self.assertLessEqual(p['to_stop_ns'] or 0, p['end'] - p['begin'])
            waited = [p for p in d['pauses'] if (p['to_stop_ns'] or 0) > 100_000]
            if [p for p in waited if (p['stopped_last']['start'] or '').startswith('main.')]:
                break
        else:
            self.fail('never waited for')
        self.assertTrue(d['mmu']['inferred'])
        shares = [w['utilisation'] for w in d['mmu']['curve']]
        self.assertTrue(all(0 <= x <= 1 for x in shares), shares)
        self.assertFalse(self.answer('pauses', self.trace('delayed-unpark'))['mmu']['inferred'])


class Processors(GoTruths):
    def test_a_recording_tells_how_many_there_are(self):
        """On a busy machine some may have come and gone between two looks; the last is always told, and none twice."""
        events = self.golanes('events', '--json', '--type', 'ProcsChange', self.record('procs')).json_lines()
        told = [e['args']['procs'] for e in events]
        self.assertEqual(told[-1], 5)
        rest = iter([told[0], 1, 3, 2, 5])
        self.assertTrue(all(n in rest for n in told), told)


class Waits(GoTruths):
    """Who waits at the end, how many, and why."""
    EVERY = ('nil', 'empty', 'deadlock', 'unclosed', 'no-sender', 'no-receiver', 'leak', 'workers', 'mutex')

    def places(self, path):
        """By the line that says `go`, which a recording and a trace of Go's name alike."""
        d = self.answer('stuck', path, '--top', '0')
        self.whole = d
        out = {}
        for p in d['places']:
            out.setdefault(p['created_at']['func'].removeprefix('main.'), []).append((p['n'], p['cause'], p['growing']))
            self.channels[p['start']] = p.get('channel')
        return {k: sorted(v) for k, v in out.items()}

    def setUp(self):
        super().setUp()
        self.channels = {}

    def test_a_recording_knows_why(self):
        path = self.record(*self.EVERY)
        self.assertEqual(self.places(path), {
            'many': [(2, 'empty select', False), (2, 'not known', False), (3, 'nil channel', False)],
            'deadlock': [(1, 'deadlock', False)] * 2,
            'unclosed': [(3, 'never closed', False)],
            'noSender': [(2, 'no sender is left', False)],
            'noReceiver': [(4, 'no receiver is left', False)],
            'leak': [(40, 'not known', True)],
            'workers': [(4, 'between jobs', False)]})
        self.assertEqual((self.whole['waiting'], self.whole['cycles']), (62, 1))
        for start, c in self.channels.items():
            if c:
                self.assertEqual((c['fill'], c['capacity'], c['closed_at']), (0, 0, None), start)
        ends = {c['made_site']['func']: (len(c['sent_by']), len(c['received_by'])) for c in self.channels.values() if c}
        self.assertEqual(ends, {'main.deadlock': (1, 1), 'main.ranges': (1, 1), 'main.receives': (1, 1), 'main.sends': (1, 1),
                                'main.leak': (0, 0), 'main.workers': (1, 4)})

    def test_where_they_wait_is_in_the_program(self):
        for path in (self.record('mutex'), self.trace('mutex')):
            p = self.answer('stuck', path)['places'][0]
            self.assertEqual((p['n'], p['site']['func']), (2, 'main.locks'))

    def test_a_baseline(self):
        old, new = self.record('nil'), self.path('new.lanes')
        os.rename(self.record('nil', 'leak'), new)
        old = self.record('nil')
        d = self.answer('stuck', new, '--baseline', old)
        self.assertEqual([(p['n'], p['created_at']['func']) for p in d['places']], [(40, 'main.leak')])

    def test_go_tells_what_it_can(self):
        path = self.trace(*self.EVERY)
        self.assertEqual(self.places(path)['many'], [(2, 'empty select', False), (2, 'not known', False), (3, 'nil channel', False)])
        self.assertEqual(self.places(path)['leak'], [(40, 'not known', True)])
        self.assertEqual(self.places(path)['noReceiver'], [(4, 'not known', False)])
        self.assertEqual(self.whole['waiting'], 62)


class Closes(GoTruths):
    def test_counts(self):
        """Of truths/: three sends on a closed channel that was closed once, one second close."""
        d = self.answer('channels', self.record('send-on-closed', 'close-of-closed'), '--top', '0')
        mine = [c for c in d['channels'] if c['made_site']['func'] in ('main.sendOnClosed', 'main.closeOfClosed')]
        by = {(c['made_site']['func'], c['send']['panics']): c for c in mine}
        self.assertEqual(sorted((f.removeprefix('main.'), n) for f, n in by), [('closeOfClosed', 0), ('sendOnClosed', 1), ('sendOnClosed', 2)])
        self.assertTrue(all(c['closed_at'] is not None for c in mine))
        self.assertEqual([c['closes_too_many'] for c in mine if c['made_site']['func'] == 'main.closeOfClosed'], [1])

    def test_what_a_collection_makes_is_the_runtimes(self):
        """The first collection makes a channel to start its workers by; main.delayedUnpark did not, though it runs under it."""
        d = self.answer('channels', self.record('delayed-unpark'), '--top', '0')
        self.assertIn('runtime.gcBgMarkStartWorkers', {c['made_site']['func'] for c in d['channels'] if c['made_site']})


if __name__ == '__main__':
    harness.main()
