#!/usr/bin/env python3
"""golanes diff: finds what was planted, and says nothing of two runs of the same program."""
import random

from harness import V2, main
from written import DONE, Trace, WrittenCase


def program(seed, pause=1.0, leak=0, cap=8, rounds=300, slow=1.0, quick=0):
    """Four workers get jobs over a channel; the collector runs now and then. All times are chance, as on a machine."""
    r = random.Random(seed)
    load = slow * r.uniform(0.9, 1.15)  # another run finds the machine in another mood

    def about(ns):
        return max(64, int(ns * load * r.lognormvariate(0, 0.6)))
    t = Trace()
    t.running(1, at='main.main:1')
    t.ev(5, 'ChanMake', 1, 0xc000, cap, 'main.job', at='main.main:7')
    now = 1000
    for g in range(10, 14):
        t.go(now, 1, g, 'main.worker', start=now + 500, p=1)
        t.block(now + 600, g, 'chan receive', 'runtime.chanrecv1:1<main.worker:20', p=1)
        now += 1000
    for i in range(rounds):
        g = 10 + i % 4
        now += about(30000)
        t.ev(now, 'GoUnpark', 1, g, at='runtime.chansend1:1<main.main:40')
        now += about(3000)
        t.ev(now, 'GoStart', 0, g, p=1)
        now += about(20000)
        if r.random() < 0.3:
            t.ev(now, 'GoSyscallBegin', g, at='os.read:1<main.worker:30', p=1)
            now += about(8000)
            t.ev(now, 'GoSyscallEnd', g, 0, p=1)
        t.block(now, g, 'chan receive', 'runtime.chanrecv1:1<main.worker:20', p=1)
        if i % 10 == 9:
            for reason in ('GC sweep termination', 'GC mark termination'):
                now += 1000
                length = 5000 if quick and i // 10 % quick == 0 else int(about(60000) * pause)
                t.stw(now, now + length, 1, reason)
                now += length
        if leak and i % (rounds // leak) == 0:
            x = 1000 + i
            t.go(now, 1, x, 'main.leaky', start=now + 100, p=2)
            t.block(now + 200, x, 'chan send', 'runtime.chansend1:1<main.leaky:50', p=2)
    t.ev(now + 1000, 'UserLog', 1, 0, 'c', 'm')
    return t


class Diff(WrittenCase):
    def diff(self, a, b, *options, code=0):
        first, second = self.write(a, 'a.lanes'), self.write(b, 'b.lanes')
        return self.answer('diff', second, *options, first, code=code)

    def test_two_runs_of_one_program_are_equal(self):
        said = []
        for i in range(20):
            d = self.diff(program(2 * i), program(2 * i + 1))
            said += [(i, x['what'], x['of'], x['factor']) for x in d['differences']]
        self.assertEqual(said, [])
        self.assertIn('NO DIFFERENCE', self.golanes('diff', '-q', self.path('a.lanes'), self.path('b.lanes')).out.decode())

    def test_pauses_three_times_as_long(self):
        for i in range(3):
            d = self.diff(program(i, rounds=600), program(100 + i, pause=3, rounds=600))
            found = {(x['what'], x['of']): x for x in d['differences']}
            for reason in ('GC sweep termination', 'GC mark termination'):
                x = found[('pause length', reason)]
                self.assertTrue(x['worse'])
                self.assertGreater(x['factor'], 1.75)
                self.assertGreater(x['sigmas'], 4)
            d = self.diff(program(100 + i, pause=3, rounds=600), program(i, rounds=600))
            self.assertEqual({x['worse'] for x in d['differences'] if x['what'] == 'pause length'}, {False})

    def pauses_told(self, d):
        return [sorted(x['of'] for x in d[name] if x['what'] == 'pause length' and x['worse']) for name in ('differences', 'unsure')]

    def test_longer_pauses_are_told_where_everything_is_longer(self):
        both = ['GC mark termination', 'GC sweep termination']
        slower = self.diff(program(1, rounds=900), program(2, rounds=900, slow=2.3))
        self.assertGreater(slower['mood'], 1.7)
        self.assertEqual(self.pauses_told(slower), [[], both])  # as everything: the machine may have been busy
        self.assertIn('NOT SURE', self.golanes('diff', '-q', self.path('a.lanes'), self.path('b.lanes')).out.decode())
        self.diff(program(1, rounds=900), program(2, rounds=900, slow=2.3), '--fail')
        self.assertEqual(self.pauses_told(self.diff(program(1, rounds=900), program(2, rounds=900, slow=1.8, pause=2.5))), [both, []])

    def test_pauses_of_another_kind_do_not_drown_it(self):
        both = ['GC mark termination', 'GC sweep termination']
        d = self.diff(program(1, rounds=600, quick=8), program(2, rounds=600, quick=8, pause=3))
        self.assertEqual(self.pauses_told(d), [both, []])

    def test_a_leak_of_fifty(self):
        d = self.diff(program(1), program(2, leak=50))
        found = {(x['what'], x['of']): x for x in d['differences']}
        x = found[('stuck', 'main.leaky: chan send in main.leaky')]
        self.assertEqual((x['worse'], x['a'], x['b'], x['factor']), (True, 0, 50, None))
        self.assertTrue(all(x['of'].startswith('main.leaky') for x in d['differences']), d['differences'])
        self.assertIn('new', self.golanes('diff', '-q', self.path('a.lanes'), self.path('b.lanes')).out.decode())

    def test_a_smaller_channel(self):
        d = self.diff(program(1), program(2, cap=2))
        self.assertEqual([(x['what'], x['of'], x['a'], x['b'], x['worse']) for x in d['differences']],
                         [('channel capacity', 'chan main.job made in main.main', 8, 2, True)])

    def test_a_build_can_fail(self):
        self.diff(program(1), program(2), '--fail')
        self.diff(program(1), program(2, leak=50), '--fail', code=1)
        self.diff(program(1, leak=50), program(2), '--fail')  # better is no failure
        self.diff(program(1), program(2, pause=3), '--fail', '--tolerance', '900')
        d = self.diff(program(1, rounds=600), program(1, pause=2.2, rounds=600), '--tolerance', '25')
        self.assertTrue(all(x['worse'] for x in d['differences'] if x['what'] == 'pause length') and d['worse'])

    def test_a_longer_run_is_no_difference(self):
        d = self.diff(program(3), program(4, rounds=1200))
        self.assertEqual(d['differences'], [])

    def test_what_cannot_be_read(self):
        self.assert_refused(self.golanes('diff', self.path('none'), V2, code=3), 'none')
        self.assert_refused(self.golanes('diff', V2, self.put('no', b'no trace'), code=3), 'no')
        self.assertEqual(self.answer('diff', V2, V2)['differences'], [])


if __name__ == '__main__':
    main()
