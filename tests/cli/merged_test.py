#!/usr/bin/env python3
"""Questions to a merged trace: what one process does is never counted against another's pauses, collector or processors."""
import json

from diff_test import program
from harness import main
from written import DONE, Trace, WrittenCase

ALL = 'send,receive,select,mutex'


def placed(t):
    """The number of processors told on a processor, as Go's tracer does: it says whose it is."""
    t.lines[1] = t.lines[1].replace('\t-\t', '\t0\t')
    return t


def quiet():
    """A send that waits for a millisecond; nothing is ever stopped."""
    t = Trace()
    t.running(1, at='main.main:1')
    t.go(1000, 1, 7, 'main.sender', start=2000, p=1)
    t.ev(3000, 'ChanSendBegin', 7, 0xc000, 0, 0, at='main.send:20', p=1)
    t.block(3100, 7, 'chan send', 'runtime.chansend1:1<main.send:20', p=1)
    t.wake(1000000, 1, 7, 1000100, at='runtime.chanrecv1:1<main.main:9', p=1)
    t.ev(1000200, 'ChanSendEnd', 7, 0xc000, 0, DONE, p=1)
    t.ev(1100000, 'UserLog', 1, 0, 'c', 'm')
    return t


def stopping():
    """The world stops again and again."""
    t = Trace()
    t.running(1, at='main.main:1')
    for i in range(1, 10):
        t.stw(i * 100000, i * 100000 + 30000, 1)
    t.ev(1100000, 'UserLog', 1, 0, 'c', 'm')
    return t


class Merged(WrittenCase):
    def merged(self, *traces, offset='0'):
        paths = [self.write(placed(t), f'{i}.lanes') for i, t in enumerate(traces)]
        self.golanes('merge', '-qf', *paths, '--offset', offset, '-o', self.path('both.lanes'))
        return self.path('both.lanes'), paths

    def test_no_pause_of_another(self):
        for order in ((quiet, stopping), (stopping, quiet)):
            both, _ = self.merged(*(make() for make in order))
            sends = self.answer('straddles', both)['kinds']['send']
            self.assertEqual((sends['n'], sends['straddling']), (1, 0))
            summary = json.loads(self.golanes('summary', '--json', '-q', both).out)
            self.assertEqual(summary['stw']['count'], 9)
            text = json.dumps(summary)
            self.assertNotIn('"spans_over_stw": 1', text)
            pauses = self.answer('pauses', both, '--top', '20', '--window', '100us')
            self.assertEqual([p['sends_held'] for p in pauses['pauses']], [0] * 9)
            worst = pauses['mmu']['worst'][0]
            self.assertEqual(worst['process'], order.index(stopping))

    def test_each_as_it_was_alone(self):
        both, paths = self.merged(program(1), program(2, pause=2), offset='130us')
        alone = [self.answer('straddles', p, '--kind', ALL) for p in paths]
        d = self.answer('straddles', both, '--kind', ALL)
        self.assertGreater(d['kinds']['receive']['straddling'], 10)
        for kind in ALL.split(','):
            for key in ('n', 'straddling', 'overlap_ns'):
                self.assertEqual(d['kinds'][kind].get(key), sum(a['kinds'][kind].get(key, 0) for a in alone) if key in d['kinds'][kind] else None)
        self.assert_pauses_as_alone(both, paths, 130000)

    def assert_pauses_as_alone(self, both, paths, offset):
        every = self.answer('pauses', both, '--top', '10000', '--window', '1ms')
        curves = []
        for process, path in enumerate(paths):
            alone = self.answer('pauses', path, '--top', '10000', '--window', '1ms')
            curves.append({x['window_ns']: x['utilisation'] for x in alone['mmu']['curve']})
            keys = ('reason', 'to_stop_ns', 'runnable_held', 'runnable_held_ns', 'sends_held', 'processors_running')
            want = sorted((p['begin'] + process * offset, p['end'] + process * offset, *(p[k] for k in keys)) for p in alone['pauses'])
            mine = [p for p in every['pauses'] if p['goroutine'] >> 48 == process]
            self.assertEqual(sorted((p['begin'], p['end'], *(p[k] for k in keys)) for p in mine), want)
        for x in every['mmu']['curve']:
            if all(x['window_ns'] in c for c in curves) and x['window_ns'] < 10000000:
                self.assertAlmostEqual(x['utilisation'], min(c[x['window_ns']] for c in curves), places=6)

    def test_who_is_stuck_is_told_by_process(self):
        both, paths = self.merged(program(1, leak=5), program(2, leak=6))
        places = [p for p in self.answer('stuck', both)['places'] if 'leaky' in p['start']]
        self.assertEqual(sorted(p['n'] for p in places), [5, 6])


if __name__ == '__main__':
    main()
