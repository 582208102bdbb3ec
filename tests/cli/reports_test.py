#!/usr/bin/env python3
"""Commands that answer one question: exact figures over traces that are written down here."""
import json

from harness import CUT, V2, USAGE, main, unpacked
from written import CLOSED, DEFAULT, DONE, PANIC, RECV, SEND, Trace, WrittenCase


class Channels(WrittenCase):
    def test_the_life_of_a_buffered_channel(self):
        t = Trace()
        t.running(1)
        t.go(10, 1, 7, 'main.producer', start=20)
        t.go(11, 1, 8, 'main.consumer', start=21, p=1)
        t.ev(100, 'ChanMake', 1, 0xc000, 2, 'int', at='main.main:7')
        t.send(200, 210, 7, 0xc000, cap=2, after=1)
        t.send(300, 330, 7, 0xc000, cap=2, len_=1, after=2)
        t.recv(500, 505, 8, 0xc000, cap=2, len_=2, after=1)
        t.recv(600, 605, 8, 0xc000, cap=2, len_=1, after=0)
        t.ev(700, 'ChanClose', 1, 0xc000, 0, DONE, at='main.main:9')
        t.recv(800, 801, 8, 0xc000, cap=2, result=CLOSED)
        t.send(900, 901, 7, 0xc000, cap=2, result=PANIC)
        t.ev(950, 'ChanClose', 1, 0xc000, 0, PANIC, at='main.main:9')
        t.ev(1000, 'UserLog', 1, 0, 'c', 'm')
        d = self.answer('channels', t)
        self.assertTrue(d['recorded'])
        self.assertEqual(d['channels_in_all'], 1)
        c = d['channels'][0]
        self.assertEqual((c['channel'], c['life'], c['element'], c['capacity']), ('0xc000', 1, 'int', 2))
        self.assertEqual((c['made_at'], c['made_by'], c['made_site']['line']), (100, 1, 7))
        send, recv = c['send'], c['receive']
        self.assertEqual((send['done'], send['panics'], send['wait']['total_ns'], send['wait']['max_ns']), (2, 1, 40, 30))
        self.assertEqual((recv['done'], recv['closed'], recv['wait']['p99_ns']), (2, 1, 5))
        self.assertEqual([u['start'] for u in send['users']], ['main.producer'])
        # fill: 0 to 210, 1 to 330, 2 to 505, 1 to 605, 0 to the close at 700
        self.assertEqual(c['fill']['seen_ns'], 600)
        self.assertEqual(c['fill']['full_ns'], 505 - 330)
        self.assertEqual(c['fill']['empty_ns'], 110 + 95)
        self.assertAlmostEqual(c['fill']['mean'], (120 + 2 * 175 + 100) / 600)
        self.assertEqual(c['fill']['max'], 2)
        self.assertEqual((c['closed_at'], c['closed_by'], c['closed_site']['line'], c['closes_too_many']), (700, 1, 9, 1))
        g = d['groups'][0]
        self.assertEqual((g['n'], g['closed'], g['sends_after_close']), (1, 1, 1))
        page = self.page('channels', t, '--width', '200')
        self.assertIn('PANIC', page)
        self.assertIn('closed at 700 ns by G1', page)

    def test_an_address_that_is_made_again_is_another_channel(self):
        t = Trace()
        t.running(1)
        for i in range(3):
            t.ev(100 * i, 'ChanMake', 1, 0xc000, 1, 'int', at='main.main:7')
            t.send(100 * i + 10, 100 * i + 11 + i, 1, 0xc000, cap=1, after=1)
        d = self.answer('channels', t)
        self.assertEqual(d['channels_in_all'], 3)
        self.assertEqual(sorted((c['life'], c['send']['wait']['total_ns']) for c in d['channels']), [(1, 1), (2, 2), (3, 3)])
        self.assertEqual([g['n'] for g in d['groups']], [3])

    def test_selects_count_for_the_channel_that_was_chosen(self):
        t = Trace()
        t.running(1)
        t.ev(100, 'ChanSelectBegin', 1, 1, 1, 0, at='main.main:8')
        t.ev(140, 'ChanSelectEnd', 1, 0xd000, SEND, 0, DONE)
        t.ev(200, 'ChanSelectBegin', 1, 1, 1, 1, at='main.main:8')
        t.ev(210, 'ChanSelectEnd', 1, 0, DEFAULT, 0, DONE)
        t.ev(300, 'ChanSelectBegin', 1, 1, 1, 0, at='main.main:8')
        t.ev(360, 'ChanSelectEnd', 1, 0xd000, RECV, 0, DONE)
        c = self.answer('channels', t)['channels']
        self.assertEqual(len(c), 1)
        self.assertEqual((c[0]['send']['wait']['total_ns'], c[0]['receive']['wait']['total_ns']), (40, 60))
        self.assertIsNone(c[0]['made_at'])

    def test_a_range_that_nobody_ends(self):
        for stack, asked in (('runtime.chanrecv2:1<main.loop:30', True), ('runtime.chanrecv1:1<main.loop:30', False)):
            t = Trace()
            t.running(1)
            t.recv(100, 110, 1, 0xc000, at=stack)
            t.ev(200, 'ChanRecvBegin', 1, 0xc000, 0, 0, at=stack)
            d = self.answer('channels', t)
            self.assertEqual(d['channels'][0]['received_until_closed'], asked)
            self.assertEqual(d['groups'][0]['unclosed_though_received_until_closed'], int(asked))
            self.assertEqual(d['channels'][0]['receive']['waiting'], 1)

    def test_an_imported_trace_says_what_it_cannot_know(self):
        page = self.page('channels', V2)
        self.assertIn('does not say which channel', page)
        t = Trace()
        t.running(1)
        t.go(10, 1, 7, 'main.producer', start=20, p=1)
        for i in range(3):
            t.block(100 * i + 100, 7, 'chan send', 'runtime.chansend1:1<main.producer:20', p=1)
            t.wake(100 * i + 130, 1, 7, 100 * i + 140, at='runtime.chanrecv1:1<main.main:40', p=1)
        d = self.answer('channels', t)
        self.assertFalse(d['recorded'])
        self.assertEqual(len(d['rendezvous']), 1)
        r = d['rendezvous'][0]
        self.assertEqual((r['n'], r['total_ns'], r['waited_in'], r['released_by']), (3, 90, 'chan send', 'receive'))
        self.assertEqual((r['site']['line'], r['release_site']['line']), (20, 40))


class Stuck(WrittenCase):
    def places(self, t, *options):
        return {p['start']: p for p in self.answer('stuck', t, *options)['places']}

    def test_nil_channels_and_empty_selects(self):
        t = Trace()
        t.running(1)
        for g, func, at in ((7, 'main.a', 'runtime.chanrecv1:1<main.a:20'), (8, 'main.b', 'runtime.block:1<main.b:21')):
            t.go(10, 1, g, func, start=20)
            t.block(30, g, 'forever', at)
        t.go(40, 1, 9, 'main.c', start=50)
        t.ev(60, 'ChanSendBegin', 9, 0, 0, 0, at='main.c:22')
        t.block(61, 9, 'chan send', 'runtime.chansend1:1<main.c:22')
        p = self.places(t)
        self.assertEqual([p[f]['cause'] for f in ('main.a', 'main.b', 'main.c')], ['nil channel', 'empty select', 'nil channel'])

    @staticmethod
    def two(last_user):
        """G7 and G8 talk over two channels, then each waits for the other; last_user(t) may change that."""
        t = Trace()
        t.running(1)
        for g in (7, 8):
            t.go(10, 1, g, f'main.f{g}', start=20)
        for chan in (0xa000, 0xb000):
            t.ev(30, 'ChanMake', 1, chan, 0, 'int', at='main.main:3')
        t.send(100, 110, 7, 0xa000)
        t.recv(100, 110, 8, 0xa000)
        t.send(200, 210, 8, 0xb000)
        t.recv(200, 210, 7, 0xb000)
        last_user(t)
        for g, chan in ((7, 0xb000), (8, 0xa000)):
            t.ev(300, 'ChanRecvBegin', g, chan, 0, 0, at=f'main.f{g}:40')
            t.block(301, g, 'chan receive', f'runtime.chanrecv1:1<main.f{g}:40')
        t.ev(1000, 'UserLog', 1, 0, 'c', 'm')
        return t

    def test_a_circle_is_found(self):
        d = self.answer('stuck', self.two(lambda t: None))
        self.assertEqual([p['cause'] for p in d['places']], ['deadlock', 'deadlock'])
        self.assertEqual(d['cycles'], 1)
        self.assertEqual({g['cycle'] for p in d['places'] for g in p['goroutines']}, {1})
        self.assertFalse(d['everybody'])
        self.assertIn('Deadlock: G7', self.page('stuck', self.two(lambda t: None)))

    def test_a_circle_that_somebody_alive_can_break_is_none(self):
        def others(t):
            t.send(250, 260, 1, 0xa000, at='main.main:9')
        d = self.answer('stuck', self.two(others))
        self.assertEqual([p['cause'] for p in d['places']], ['not known', 'not known'])
        self.assertEqual(d['cycles'], 0)

    def test_when_all_wait_the_program_is_deadlocked(self):
        t = self.two(lambda t: None)
        t.block(1001, 1, 'chan receive', 'runtime.chanrecv1:1<main.main:50')
        t.running(2, at='gc_worker:1')
        t.lines.sort(key=lambda line: int(line.split()[0]))
        t.block(1002, 2, 'system goroutine wait', 'gc_worker:1')  # of another runtime than Go's, by what it waits for
        self.assertTrue(self.answer('stuck', t)['everybody'])
        self.assertIn('It is deadlocked', self.page('stuck', t))
        with open(V2, 'rb') as f:
            cut = self.put('cut.trace', f.read(300))
        self.assertNotIn('is deadlocked', self.page('stuck', cut))  # there may be others
        t.running(3, at='main.other:1')
        t.lines.sort(key=lambda line: int(line.split()[0]))
        self.assertFalse(self.answer('stuck', t)['everybody'])

    def lonely(self, end_by, at='runtime.chanrecv2:1<main.f7:40'):
        """G7 receives what G8 sends; G8 ends, after end_by(t)."""
        t = Trace()
        t.running(1)
        for g in (7, 8):
            t.go(10, 1, g, f'main.f{g}', start=20)
        t.ev(30, 'ChanMake', 1, 0xa000, 1, 'int', at='main.main:3')
        t.send(100, 110, 8, 0xa000, cap=1)
        t.recv(100, 110, 7, 0xa000, at=at, cap=1)
        end_by(t)
        t.ev(300, 'ChanRecvBegin', 7, 0xa000, 0, 1, at=at)
        t.block(301, 7, 'chan receive', at)
        t.ev(400, 'GoEnd', 8, 3)
        return self.places(t)['main.f7']

    def test_a_forgotten_close_and_no_sender_left(self):
        p = self.lonely(lambda t: None)
        self.assertEqual(p['cause'], 'never closed')
        self.assertEqual((p['channel']['channel'], p['channel']['sent_by'], p['channel']['fill']), ('0xa000', [8], 0))
        self.assertEqual(p['channel']['alive_and_seen_with_it'], [1])
        self.assertEqual(self.lonely(lambda t: None, at='runtime.chanrecv1:1<main.f7:40')['cause'], 'no sender is left')
        p = self.lonely(lambda t: t.send(200, 210, 1, 0xa000, cap=1))  # main sends too, and is alive
        self.assertEqual(p['cause'], 'not known')

    def leak(self, n, step, released=0):
        t = Trace()
        t.running(1)
        for i in range(n):
            t.go(1000 * i * step + 10, 1, 10 + i, 'main.leak', start=1000 * i * step + 20)
            t.block(1000 * i * step + 30, 10 + i, 'chan send', 'runtime.chansend1:1<main.leak:40')
        for i in range(released):
            t.wake(100000 + i * 10, 1, 10 + i, 100001 + i * 10, at='runtime.chanrecv1:1<main.main:50')
            t.block(100005 + i * 10, 10 + i, 'chan send', 'runtime.chansend1:1<main.leak:40')
        t.ev(200000, 'UserLog', 1, 0, 'c', 'm')
        return t

    def test_a_leak_grows_all_the_time(self):
        p = self.places(self.leak(50, 2))['main.leak']
        self.assertEqual((p['n'], p['growing'], p['released_here']), (50, True, 0))
        self.assertAlmostEqual(p['growing_per_s'], 50 / 98e-6, delta=1)
        for t in (self.leak(7, 20),            # few
                  self.leak(50, 0),            # all made at once: a pool
                  self.leak(50, 2, released=50)):  # each was released before: workers
            self.assertFalse(self.places(t)['main.leak']['growing'])

    def test_what_is_wrong_comes_first(self):
        t = self.leak(50, 2, released=2)  # a leak, though some were released there
        for i in range(5):
            t.go(190000, 1, 900 + i, 'main.other', start=190010)
            t.block(190020, 900 + i, 'sync', 'sync.(*Mutex).Lock:1<main.other:9')  # never released here: a lock, as like as not
        t.ev(200030, 'UserLog', 1, 0, 'c', 'm')
        d = self.answer('stuck', t)
        self.assertEqual([(p['n'], p['growing']) for p in d['places']], [(50, True), (5, False)])
        self.assertRegex(self.page('stuck', t), r'main\.other +sync +\S+ +10\.0 µs')  # how long, not since when

    def test_a_baseline_leaves_only_what_is_new(self):
        old, new = self.write(self.leak(10, 2), 'old.lanes'), self.write(self.leak(60, 2), 'new.lanes')
        d = self.answer('stuck', new, '--baseline', old)
        self.assertEqual([(p['n'], p['new']) for p in d['places']], [(60, 50)])
        self.assertEqual(self.answer('stuck', old, '--baseline', new)['places'], [])
        self.assertEqual(self.answer('stuck', new, '--baseline', new)['places'], [])
        self.assertIn('Nothing new', self.page('stuck', new, '--baseline', new))
        self.assert_refused(self.golanes('stuck', '--baseline', self.path('none'), new, code=3), 'none')


class Anomalies(WrittenCase):
    """Each kind is shown by one trace, and nearly by another."""

    def found(self, t):
        d = self.answer('anomalies', t)
        kinds = {k: v['n'] for k, v in d['kinds'].items() if v['n']}
        self.assertEqual(sum(kinds.values()), len(d['anomalies']))
        return kinds, d['anomalies']

    @staticmethod
    def base():
        t = Trace()
        t.running(1, at='main.main:1')
        t.go(10, 1, 7, 'main.sender', start=20, p=1)
        return t

    def test_nothing(self):
        self.assertEqual(self.found(self.base())[0], {})
        self.assertIn('NOTHING FOUND', self.page('anomalies', self.base()))

    def test_a_send_after_the_close(self):
        for close, want in ((100, {'send-on-closed': 1}), (None, {})):
            t = self.base()
            if close:
                t.ev(close, 'ChanClose', 1, 0xc000, 0, DONE, at='main.main:9')
            t.send(150, 160, 7, 0xc000, result=PANIC if close else DONE)
            kinds, found = self.found(t)
            self.assertEqual(kinds, want)
            if close:
                a = found[0]
                self.assertEqual((a['goroutine'], a['start'], a['channel'], a['begin'], a['ns']), (7, 'main.sender', '0xc000', 150, 50))
                self.assertEqual((a['other_goroutine'], a['other_at'], a['other_site']['line'], a['was_waiting']), (1, 100, 9, False))
                self.assertIn('closed by G1 main.main at x.go:9 50 ns before', self.page('anomalies', t, '--width', '200'))

    def test_a_send_that_waits_when_the_channel_is_closed(self):
        t = self.base()
        t.ev(50, 'ChanSendBegin', 7, 0xc000, 0, 0, at='main.send:20')
        t.block(51, 7, 'chan send', 'runtime.chansend1:1<main.send:20', p=1)
        t.ev(100, 'ChanClose', 1, 0xc000, 0, DONE, at='main.main:9')
        t.wake(101, 1, 7, 110, p=1)
        t.ev(111, 'Panic', 7, 'send on closed channel', 0xc000, at='main.send:20')
        t.ev(112, 'ChanSendEnd', 7, 0xc000, 0, PANIC)
        t.ev(200, 'GoEnd', 7, 3, p=1)
        kinds, found = self.found(t)
        self.assertEqual(kinds, {'send-on-closed': 1})  # one, though told of twice; and it recovered, since it ended
        self.assertTrue(found[0]['was_waiting'])

    def test_a_close_that_is_told_after_the_panic(self):
        """The closer's thread was held up between what it did and telling it."""
        for made in (None, 170):  # the address lives again: that is another channel
            t = self.base()
            t.send(150, 160, 7, 0xc000, result=PANIC)
            if made:
                t.ev(made, 'ChanMake', 1, 0xc000, 0, 'int', at='main.main:8')
            t.ev(180, 'ChanClose', 1, 0xc000, 0, DONE, at='main.main:9')
            kinds, found = self.found(t)
            self.assertEqual(kinds, {'send-on-closed': 1})
            if made:
                self.assertIsNone(found[0]['other_at'])
            else:
                self.assertEqual((found[0]['other_goroutine'], found[0]['other_at'], found[0]['other_site']['line']), (1, 180, 9))
                self.assertIn('while it waited (30 ns after it began)', self.page('anomalies', t, '--width', '200'))

    def test_closes_too_many(self):
        t = self.base()
        t.ev(100, 'ChanClose', 1, 0xc000, 0, DONE, at='main.main:9')
        t.ev(130, 'ChanClose', 7, 0xc000, 0, PANIC, at='main.send:22')
        t.ev(140, 'ChanClose', 7, 0, 0, PANIC, at='main.send:23')
        kinds, found = self.found(t)
        self.assertEqual(kinds, {'close-of-closed': 1, 'close-of-nil': 1})
        self.assertEqual((found[0]['ns'], found[0]['other_goroutine']), (30, 1))
        t = self.base()  # the address lives again: that is another channel
        t.ev(100, 'ChanClose', 1, 0xc000, 0, DONE, at='main.main:9')
        t.ev(110, 'ChanMake', 1, 0xc000, 0, 'int', at='main.main:8')
        t.ev(130, 'ChanClose', 7, 0xc000, 0, DONE, at='main.send:22')
        self.assertEqual(self.found(t)[0], {})

    def test_a_panic_that_kills_and_one_that_does_not(self):
        def trace(what, end=5000):
            t = self.base()
            t.ev(100, 'Panic', 7, 'boom', 0, at='main.f:3')
            what(t)
            t.ev(end, 'UserLog', 1, 0, 'c', 'm')
            return self.found(t)
        for what, end in ((lambda t: t.block(150, 7, 'panicwait', 'main.f:3', p=1), 900000000), (lambda t: None, 5000)):
            kinds, found = trace(what, end)
            self.assertEqual(kinds, {'dead-by-panic': 1})
            self.assertEqual((found[0]['text'], found[0]['start']), ('boom', 'main.sender'))
        self.assertEqual(trace(lambda t: t.block(150, 7, 'sleep', 'time.Sleep:1', p=1))[0], {})  # it recovered
        self.assertEqual(trace(lambda t: t.ev(150, 'GoEnd', 7, 3, p=1))[0], {})  # so did this one, else the program had died
        self.assertEqual(trace(lambda t: None, 900000000)[0], {})  # the trace went on for long

    def test_running_without_an_unpark(self):
        def trace(woken):
            t = self.base()
            t.block(50, 7, 'chan receive', 'runtime.chanrecv1:1<main.f:20', p=1)
            if woken == 'lost':
                t.ev(55, 'Lost', 0, 3, 0, 80, 'ring full', p=None)
            elif woken:
                t.ev(60, 'GoUnpark', 1, 7)
            t.ev(90, 'GoStart', 0, 7, p=1)
            return self.found(t)
        kinds, found = trace(False)
        self.assertEqual(kinds, {'ran-without-unpark': 1})
        self.assertEqual((found[0]['state'], found[0]['left_as'], found[0]['begin'], found[0]['end']), ('Waiting', 'Runnable', 50, 90))
        self.assertEqual(trace(True)[0], {})
        kinds, found = trace('lost')  # what is missing explains it
        self.assertEqual(kinds, {'lost-events': 1})
        self.assertEqual((found[0]['count'], found[0]['end'], found[0]['text']), (3, 80, 'ring full'))

    def test_an_explosion_of_goroutines(self):
        def trace(n, step, end=False):
            t = self.base()
            for i in range(n):
                t.go(1000 + i * step, 1, 100 + i, 'main.job', start=1001 + i * step, at='main.accept:8')
                if end:
                    t.ev(1002 + i * step, 'GoEnd', 100 + i, 3)
            return self.found(t)
        kinds, found = trace(1200, 1000)
        self.assertEqual(kinds, {'goroutine-explosion': 1})
        self.assertEqual((found[0]['count'], found[0]['site']['func']), (1200 + 1, 'main.accept'))  # and that of base()
        self.assertEqual(trace(900, 1000)[0], {})         # fewer
        self.assertEqual(trace(1200, 200000)[0], {})      # as many, but over a quarter of a second
        self.assertEqual(trace(1200, 1000, True)[0], {})  # as many, but each ends

    def test_a_busy_select(self):
        def trace(n, sleeps=0, gap=500):
            t = self.base()
            for i in range(n):
                at = 1000 + i * gap
                t.ev(at, 'ChanSelectBegin', 7, 0, 1, 1, at='main.poll:33', p=1)
                t.ev(at + 5, 'ChanSelectEnd', 7, 0, DEFAULT, 0, DONE, p=1)
                if sleeps and i % sleeps == 0:
                    t.block(at + 6, 7, 'sleep', 'time.Sleep:1', p=1)
                    t.wake(at + 7, 0, 7, at + 8, p=1)
            return self.found(t)
        kinds, found = trace(1500)
        self.assertEqual(kinds, {'busy-select': 1})
        self.assertEqual((found[0]['goroutine'], found[0]['count'], found[0]['ns']), (7, 1500, 1499 * 500))
        self.assertEqual(found[0]['site']['line'], 33)
        self.assertEqual(trace(900)[0], {})
        self.assertEqual(trace(1500, sleeps=500)[0], {})
        self.assertEqual(trace(1500, gap=50000)[0], {})

    def test_a_gosched_storm(self):
        def trace(n, reason='runtime.Gosched', gap=100):
            t = self.base()
            for i in range(n):
                t.ev(1000 + i * gap, 'GoYield', 7, reason, at='main.spin:44', p=1)
                t.ev(1010 + i * gap, 'GoStart', 0, 7, p=1)
            return self.found(t)
        kinds, found = trace(1000)
        self.assertEqual(kinds, {'gosched-storm': 1})
        self.assertEqual((found[0]['count'], found[0]['site']['line']), (1000, 44))
        self.assertEqual(trace(999)[0], {})
        self.assertEqual(trace(1000, 'preempted')[0], {})
        self.assertEqual(trace(1000, gap=30000)[0], {})

    def test_yields_of_which_the_recorder_does_not_know_why(self):
        def trace(waits_for):
            t = self.base()
            t.block(100, 7, waits_for, 'main.spin:40', p=1)
            t.wake(200, 1, 7, 210, p=1)
            for i in range(1000):
                t.ev(1000 + i * 100, 'GoYield', 7, '', p=1)
                t.ev(1010 + i * 100, 'GoStart', 0, 7, p=1)
            return self.found(t)[0]
        self.assertEqual(trace('chan receive'), {'gosched-storm': 1})
        self.assertEqual(trace('wait for GC cycle'), {})  # runtime.GC, which sweeps

    def test_a_timer_storm(self):
        def trace(n, gap, by=0):
            t = self.base()
            for i in range(n):
                at = 10000000 + i * gap
                t.block(at, 7, 'sleep', 'time.Sleep:1', p=1)
                t.wake(at + 1, by, 7, at + 2, p=1)
            return self.found(t)
        kinds, found = trace(2500, 5000)
        self.assertEqual(kinds, {'timer-storm': 1})
        self.assertEqual((found[0]['begin'], found[0]['count']), (10000000, 2000))  # the part that is dense enough
        self.assertEqual(trace(900, 5000)[0], {})
        self.assertEqual(trace(2500, 20000)[0], {})
        self.assertEqual(trace(2500, 5000, by=1)[0], {})

    def test_long_waits_and_delayed_wakes(self):
        def trace(ns, stw=None, by=1):
            t = self.base()
            t.block(100, 7, 'chan receive', 'runtime.chanrecv1:1<main.f:20', p=1)
            t.ev(1000, 'GoUnpark', by, 7, at='main.main:30')
            if stw:
                t.stw(1000 + stw[0], 1000 + stw[1], 1)
            t.ev(1000 + ns, 'GoStart', 0, 7, p=1)
            return self.found(t)
        kinds, found = trace(10000000)
        self.assertEqual(kinds, {'long-runnable': 1})
        self.assertEqual((found[0]['ns'], found[0]['other_goroutine'], found[0]['site']['line']), (10000000, 1, 30))
        self.assertEqual(trace(9999999)[0], {})
        kinds, found = trace(200000, (10, 150000))
        self.assertEqual(kinds, {'delayed-unpark': 1})
        self.assertEqual((found[0]['ns'], found[0]['text'], found[0]['other_at']), (149990, 'GC mark termination', 1010))
        self.assertEqual(trace(200000, (10, 90000))[0], {})
        self.assertEqual(trace(100, (-500, 90000))[0], {})

    def test_kinds_are_chosen_by_name(self):
        t = self.base()
        t.ev(140, 'ChanClose', 7, 0, 0, PANIC, at='main.send:23')
        self.assertEqual(len(self.answer('anomalies', t, '--kind', 'close-of-nil')['anomalies']), 1)
        self.assertEqual(self.answer('anomalies', t, '--kind', 'busy-select,panic'.replace('panic', 'dead-by-panic'))['anomalies'], [])
        self.assert_refused(self.golanes('anomalies', '--kind', 'busy-select,send-on-close', V2, code=USAGE),
                            'at character 13', 'did you mean send-on-closed?')

    def test_an_imported_trace_says_what_it_cannot_show(self):
        d = self.answer('anomalies', V2)
        self.assertFalse(d['kinds']['send-on-closed']['can_tell'])
        self.assertTrue(d['kinds']['long-runnable']['can_tell'])
        self.assertIn('NOT TOLD', self.page('anomalies', V2))


class Path(WrittenCase):
    @staticmethod
    def trace():
        """main (G1) waits for G7, which waits for G8, which sleeps."""
        t = Trace()
        t.running(1, at='main.main:1')
        t.go(100, 1, 7, 'main.seven', start=110, p=1)
        t.go(150, 1, 8, 'main.eight', start=170, p=2)
        t.block(200, 1, 'chan receive', 'runtime.chanrecv1:1<main.main:50')
        t.block(300, 7, 'chan receive', 'runtime.chanrecv1:1<main.seven:60', p=1)
        t.block(350, 8, 'sleep', 'time.Sleep:1<main.eight:70', p=2)
        t.wake(800, 0, 8, 805, p=2)
        t.wake(900, 8, 7, 920, at='runtime.chansend1:1<main.eight:71', p=1)
        t.wake(1000, 7, 1, 1003, at='runtime.chansend1:1<main.seven:61')
        t.ev(1100, 'UserLog', 1, 0, 'c', 'm')
        return t

    def test_the_path_goes_through_those_who_woke(self):
        d = self.answer('path', self.trace())
        self.assertEqual([(s['goroutine'], s['state'], s['begin'], s['end'], s['then']) for s in d['last']], [
            (1, 'running', 0, 150, 'makes'),
            (8, 'sched', 150, 170, 'goes on'),
            (8, 'running', 170, 350, 'goes on'),
            (8, 'waiting', 350, 800, 'goes on'),
            (8, 'sched', 800, 805, 'goes on'),
            (8, 'running', 805, 900, 'wakes'),
            (7, 'sched', 900, 920, 'goes on'),
            (7, 'running', 920, 1000, 'wakes'),
            (1, 'sched', 1000, 1003, 'goes on'),
            (1, 'running', 1003, 1100, 'the end')])
        self.assertEqual((d['hops'], d['begin'], d['end'], d['cut']), (3, 0, 1100, False))
        self.assertEqual((d['shares'][0]['start'], d['shares'][0]['reason'], d['shares'][0]['total_ns']), ('main.eight', 'sleep', 450))
        self.assertEqual(d['longest'][0]['begin'], 350)
        self.assertEqual(d['last'][5]['site']['line'], 71)
        self.assertIn('wakes G7', self.page('path', self.trace()))

    def test_a_part_of_it(self):
        d = self.answer('path', self.trace(), '--from', '500ns', '--to', '950ns', '--goroutine', '7')
        self.assertEqual([(s['goroutine'], s['state'], s['begin'], s['end']) for s in d['last']], [
            (8, 'waiting', 500, 800), (8, 'sched', 800, 805), (8, 'running', 805, 900), (7, 'sched', 900, 920), (7, 'running', 920, 950)])
        d = self.answer('path', self.trace(), '--to', '250ns')  # it waits then
        self.assertEqual([(s['state'], s['begin'], s['end']) for s in d['last']], [('running', 0, 200), ('waiting', 200, 250)])
        self.assertFalse(self.answer('path', self.trace(), '--goroutine', '99')['found'])
        self.assert_refused(self.golanes('path', '--from', '2s', '--to', '1s', V2, code=USAGE), '--from must be before --to')

    def test_the_steps_of_a_real_trace_are_contiguous(self):
        for name in ('pipeline-p1-go1.24', 'annot-go1.23', 'mutex-go1.26'):
            trace = self.put(name, unpacked('traces/' + name))
            d = self.answer('path', trace, '--top', '0')
            self.assertTrue(d['found'])
            self.assertGreater(d['hops'], 3)
            for a, b in zip(d['last'], d['last'][1:]):
                self.assertEqual(a['end'], b['begin'])
                if a['goroutine'] != b['goroutine']:
                    self.assertIn(a['then'], ('wakes', 'makes'))
            self.assertEqual(sum(s['total_ns'] for s in d['shares']), d['end'] - d['begin'])


class Straddles(WrittenCase):
    """A send, a receive, a select and a mutex, each of which meets both pauses; a send that meets only marking."""

    OPS = (('chan send', 'runtime.chansend1', 7), ('chan receive', 'runtime.chanrecv1', 8),
           ('select', 'runtime.selectgo', 9), ('sync', 'sync.(*Mutex).Lock', 10))

    def imported(self):
        t = Trace()
        t.running(1, at='main.main:1')
        for _, _, g in self.OPS:
            t.go(10, 1, g, f'main.f{g}', start=20, p=1)
        for reason, leaf, g in self.OPS:
            t.block(90 + g, g, reason, f'{leaf}:1<main.f{g}:{g}', p=1)
        t.stw(200, 300, 1)
        t.ev(300, 'GCStart', 1, 1)
        t.ev(350, 'GoUnpark', 1, 7, at='runtime.chanrecv1:1<main.main:60')
        t.stw(400, 450, 1, 'GC sweep termination')
        t.ev(460, 'GoStart', 0, 7, p=1)
        for reason, leaf, g in self.OPS[1:]:
            t.wake(500, 1, g, 510, at='runtime.chansend1:1<main.main:61', p=1)
        t.block(600, 7, 'chan send', 'runtime.chansend1:1<main.f7:7', p=1)
        t.wake(650, 1, 7, 660, at='runtime.chanrecv1:1<main.main:60', p=1)
        t.ev(700, 'GCEnd', 0, 1)
        t.stw(800, 810, 1, 'read mem stats')
        return t

    def test_kinds(self):
        for name, g, line, delay in (('send', 7, 7, 10), ('receive', 8, 8, 60), ('select', 9, 9, 60), ('mutex', 10, 10, 60)):
            d = self.answer('straddles', self.imported(), '--kind', name)
            self.assertEqual(len(d['groups']), 1, name)
            x = d['groups'][0]
            self.assertEqual((x['kind'], x['start'], x['site']['line'], x['n'], x['overlap']['total_ns'], x['delay']['p50_ns']),
                             (name, f'main.f{g}', line, 1, 150, delay))
            self.assertIsNone(x['channel'])
            self.assertEqual(d['all']['n'], 1)
            self.assertEqual(d['worst'][0]['pauses'], 2)
            self.assertEqual([(p['begin'], p['operations'], p['operations_ns']) for p in d['pauses']], [(200, 1, 100), (400, 1, 50)])
        self.assertEqual(self.answer('straddles', self.imported())['all']['released'], {'receive': 1})
        d = self.answer('straddles', self.imported(), '--kind', 'send,receive,select,mutex')
        self.assertEqual([g['kind'] for g in d['groups']], ['send', 'receive', 'select', 'mutex'])
        self.assertEqual(d['kinds']['receive']['straddling'], 1)
        self.assertEqual(d['pauses'][0]['operations'], 4)
        self.assert_refused(self.golanes('straddles', '--kind', 'send,recieve', V2, code=USAGE), 'at character 6', 'did you mean receive?')

    def test_what_met_only_marking(self):
        d = self.answer('straddles', self.imported())
        self.assertEqual(d['worst_during_gc'], [])
        self.assertEqual(d['kinds']['send']['during_gc'], 1)
        d = self.answer('straddles', self.imported(), '--cycle')
        self.assertEqual([(s['begin'], s['cycle_ns']) for s in d['worst_during_gc']], [(600, 60)])
        self.assertEqual((d['all']['n'], d['all']['during_gc'], d['all']['during_gc_ns']), (1, 1, 60))
        self.assertIn('ONLY MARKING', self.page('straddles', self.imported(), '--cycle'))

    def test_recorded_operations_are_told_apart_by_channel(self):
        t = Trace()
        t.running(1, at='main.main:1')
        t.go(10, 1, 7, 'main.f7', start=20, p=1)
        for i, chan in enumerate((0xa000, 0xb000, 0xa000)):
            t.send(100 + 200 * i, 250 + 200 * i, 7, chan, at='main.f7:20')
            t.stw(200 + 200 * i, 220 + 200 * i, 1)
        t.ev(800, 'ChanSelectBegin', 7, 0, 1, 0, at='main.f7:30')
        t.ev(850, 'ChanSelectEnd', 7, 0xb000, RECV, 0, DONE)
        t.stw(810, 820, 1)
        t.lines.sort(key=lambda line: int(line.split()[0]))
        d = self.answer('straddles', t, '--kind', 'send,receive')
        self.assertTrue(d['recorded'])
        self.assertEqual([(g['kind'], g['channel'], g['n'], g['overlap']['total_ns']) for g in d['groups']],
                         [('send', '0xa000', 2, 40), ('send', '0xb000', 1, 20), ('receive', '0xb000', 1, 10)])
        self.assertIn('0xa000', self.page('straddles', t))

    def test_the_figures_are_those_of_the_summary(self):
        for name in ('pipeline-p1-go1.24', 'leak-go1.22', 'msort-go1.22', 'annot-gens-go1.25'):
            trace = self.put(name, unpacked('traces/' + name)) if name != 'leak-go1.22' else V2
            s = json.loads(self.golanes('summary', '--json', '-q', trace).out)
            d = self.answer('straddles', trace, '--kind', 'send,receive,select,mutex', '--cycle', '--top', '0')
            self.assertEqual(d['kinds']['send']['straddling'], s['sends']['straddling'])
            self.assertEqual(d['kinds']['send']['overlap_ns'], s['sends']['overlap_ns'])
            self.assertEqual(d['kinds']['select']['straddling'], s['selects']['straddling'])
            for kind in d['kinds']:
                mine = [g for g in d['groups'] if g['kind'] == kind]
                self.assertEqual(sum(g['n'] for g in mine), d['kinds'][kind]['straddling'])
                self.assertEqual(sum(g['overlap']['total_ns'] for g in mine), d['kinds'][kind]['overlap_ns'])
                self.assertEqual(sum(g['during_gc'] for g in mine), d['kinds'][kind]['during_gc'])


class Check(WrittenCase):
    @staticmethod
    def trace():
        t = Trace()
        t.running(1, at='main.main:1')
        t.go(10, 1, 7, 'main.f7', start=40, p=1)
        t.send(100, 250, 7, 0xa000, at='main.f7:20')
        t.stw(200, 1200, 1)
        t.stw(2000, 5000, 1, 'read mem stats')
        t.ev(6000, 'HeapLive', 1, 3 << 20)
        t.block(7000, 7, 'chan receive', 'runtime.chanrecv1:1<main.f7:30', p=1)
        t.ev(8000, 'UserLog', 1, 0, 'c', 'm')
        t.lines.sort(key=lambda line: int(line.split()[0]))
        return t

    def test_what_holds_and_what_does_not(self):
        trace = self.write(self.trace())
        holds = ['p99(stw) < 3.1us', 'max(stw) == 3us', 'count(stw) == 2', 'max(gc_pause) == 1us', 'total(stw) == 4000ns',
                 'mean(stw) == 2us', 'p50(stw) == 1us', 'straddles == 1', 'straddles("receive") == 0', 'stuck == 1',
                 'stuck("main.f7") == 1', 'stuck("main.other") == 0', 'leaks == 0', 'deadlocks == 0', 'anomalies == 0',
                 'anomalies("send-on-closed") == 0', 'max(sched_latency) == 30ns', 'max(sched_latency("main.f7")) == 30ns',
                 'p99(wait("chan send")) == 0', 'heap_max == 3MiB', 'duration >= 8us', 'stopped_share == 50%',
                 'stopped_share < 0.6', 'p99(stw) / p50(stw) == 3', '1 + 2 * 3 == 7', '(1 + 2) * 3 == 9', '2us - 1us == 1_000ns',
                 'not (straddles == 0)', '!(straddles == 0) and stuck != 0', 'straddles == 0 or stuck == 1',
                 'straddles == 0 || events > 3 && goroutines == 2', 'max(straddle_overlap) == 50ns', 'p99(straddle_delay) == 0',
                 'max(stw) < 10 * max(gc_pause)', "mmu('1ms') >= 0", 'mmu(1ms) >= 0', 'gc_cycles == 0', 'alive == 2']
        d = self.answer('check', trace, *sum((['--assert', e] for e in holds), []))
        self.assertEqual([a['expression'] for a in d['assertions'] if a['verdict'] != 'holds'], [])
        self.assertEqual(d['verdict'], 'holds')
        d = self.answer('check', trace, *sum((['--assert', f'not ({e})'] for e in holds), []), code=1)
        self.assertEqual([a['expression'] for a in d['assertions'] if a['verdict'] != 'fails'], [])
        d = self.answer('check', trace, '-a', 'p99(stw) < 1us', '-a', 'stuck == 1', code=1)
        self.assertEqual([a['verdict'] for a in d['assertions']], ['fails', 'holds'])
        self.assertEqual(d['assertions'][0]['figures'], [{'figure': 'p99(stw)', 'value': 3000, 'measure': 'ns'}])
        page = self.page('check', trace, '-a', 'p99(stw) < 1us', code=1)
        self.assertIn('FAILS', page)
        self.assertIn('ASSERTIONS  1 fail, 0 hold', page)
        self.assertIn('the longest: 3.00 µs at 2.00 µs, read mem stats', page)
        self.assertIn('main.f7 waits for chan receive at x.go:30', self.page('check', trace, '-a', 'stuck == 0', code=1))

    def test_what_cannot_be_judged(self):
        for e, why in (('anomalies("send-on-closed") == 0', 'cannot show'), ('p99(region("none")) < 1ms', "no region 'none'"),
                       ('events / (stuck - stuck) == 0', 'divides by zero'),
                       ('p99(wait("chan snd")) < 1ms', "nobody waits for 'chan snd'"), ('max(sched_latency("no.f")) < 1s', 'no.f')):
            d = self.answer('check', V2, '-a', e, '-a', 'events > 0', code=2)
            self.assertEqual([a['verdict'] for a in d['assertions']], ['not judged', 'holds'])
            self.assertIn(why, d['assertions'][0]['why'])
        self.golanes('check', '-a', 'events > 0', self.put('no', b'no trace'), code=2)
        self.golanes('check', '-a', 'events > 0', self.path('none'), code=2)
        self.golanes('check', '-a', 'events > 0', CUT)
        self.golanes('check', '-a', 'events > 0', '--strict', CUT, code=2)
        self.golanes('check', '-a', 'events < 0', '-a', 'p99(region("none")) < 1ms', V2, code=1)  # failing is worse

    def test_errors_point_at_the_spot(self):
        for e, at, n, said in (
                ('p99(stw) < 1mss', 13, 3, "there is no unit 'mss'"),
                ('p99(stv) < 1ms', 5, 3, 'did you mean stw?'),
                ('p99(stw) < 1', 12, 1, 'a unit is missing, such as ms'),
                ('p98(stw) < 1ms', 1, 3, "there is no function 'p98'"),
                ('stw < 1ms', 1, 3, 'p99(stw)'),
                ('straddles = 0', 11, 1, 'equal is written =='),
                ('straddles', 1, 9, 'this is not a comparison'),
                ('straddles == ', 14, 1, 'missing at the end'),
                ('(straddles == 0', 16, 1, 'a ) is missing'),
                ('straddles == 0)', 15, 1, 'too much'),
                ('p99(wait) < 1ms', 1, 9, 'wait("REASON")'),
                ('anomalies("bad") == 0', 11, 5, 'has no "bad": there are send-on-closed'),
                ('anomalies("send-on-close") == 0', 11, 15, 'did you mean send-on-closed?'),
                ('max(straddle_delay("sends")) == 0', 20, 7, 'did you mean send?'),
                ('straddles(send) == 0', 11, 4, 'quotes are missing: straddles("send")'),
                ('mmu(11ms) > 0.5', 5, 4, 'did you mean 1ms?'),
                ('anomalies("bad) == 0', 11, 10, 'no end'),
                ('p99(straddles) == 0', 1, 14, 'is one number'),
                ('stuck == 0 and', 15, 1, 'missing'),
                ('stuck == 0 and straddles', 16, 9, 'not a comparison'),
                ('p99(stw) < 1MiB', 12, 4, 'a number of bytes'),
                ('1..2 == 0', 1, 4, 'no number'),
                ('(' * 100 + '1' + ')' * 100 + ' == 1', 33, 1, 'nested too deeply')):
            with self.subTest(e=e):
                r = self.golanes('check', '--assert', e, V2, code=USAGE)
                lines = r.err.splitlines()
                self.assertEqual(len(lines), 3, r.err)
                self.assertIn(said, lines[0])
                self.assertIn(f'at character {at}', lines[0])
                self.assertTrue(lines[1].endswith(e), lines[1])
                self.assertEqual(lines[2].count('^'), n, r.err)
                self.assertEqual(lines[2].index('^') - lines[1].index(e), at - 1, r.err)
        self.assert_refused(self.golanes('check', V2, code=USAGE), 'nothing to check')


class Options(WrittenCase):
    def test_what_is_wrong_is_pointed_at(self):
        for words, said in ((['goroutines', '--sort', 'runing'], 'did you mean running?'),
                            (['goroutines', '--group', '('], 'character'),
                            (['pauses', '--include', 'stw,sweeep'], "'sweeep', at character 5"),
                            (['pauses', '--window', '2s'], 'from 1us to 1s'),
                            (['regions', '--name', '['], 'character')):
            with self.subTest(words=words):
                self.assert_refused(self.golanes(*words, V2, code=USAGE), said)

    def test_rows_and_width(self):
        for command in ('goroutines', 'latency', 'pauses', 'channels', 'regions', 'tasks', 'stuck', 'anomalies', 'path', 'straddles'):
            for width in (40, 150):
                page = self.page(command, V2, '--width', str(width), '--top', '3')
                for line in page.splitlines()[1:]:
                    self.assertLessEqual(len(line), width, f'{command}: {line}')

    def test_a_group_is_chosen(self):
        d = self.answer('goroutines', V2, '--group', r'^main\.main$')
        self.assertEqual([g['start'] for g in d['groups']], ['main.main'])
        self.assertEqual(d['goroutines_in_all'], 1)
        self.assertEqual(json.dumps(d['all']['time']), json.dumps(d['groups'][0]['time']))


if __name__ == '__main__':
    main()
