#!/usr/bin/env python3
"""golanes record of examples/chanrt, held against what the program counts itself.

Environment: GOLANES, DEMO, DEMO_UCONTEXT: programs.
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'support'))
import suite  # noqa: E402  pylint: disable=wrong-import-position

GOLANES, DEMOS = os.environ['GOLANES'], (os.environ['DEMO'], os.environ['DEMO_UCONTEXT'])
SECONDS = 100
# The program's name of a count, and where the summary has it. Begins and ends of an operation are one there.
SAME = {
    'goroutines': ('counts', 'GoCreate'), 'ended': ('counts', 'GoEnd'), 'blocks': ('counts', 'GoBlock'),
    'unparks': ('counts', 'GoUnpark'), 'yields': ('counts', 'GoYield'), 'chans': ('counts', 'ChanMake'),
    'selects': ('counts', 'ChanSelect'), 'syscalls': ('counts', 'GoSyscall'), 'panics': ('counts', 'Panic'),
    'gcs': ('gc', 'count'), 'stws': ('stw', 'count'), 'assists': ('mark_assist', 'count'), 'sweeps': ('sweep', 'count'),
    'tasks': ('user', 'task_begin'), 'regions': ('user', 'region_begin'), 'logs': ('user', 'logs'),
}


def run(*words):
    p = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                       timeout=SECONDS, check=False)
    return p.returncode, p.stdout, p.stderr


class Recorded(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix='golanes-chanrt-')
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, 'demo.lanes')

    def record(self, *words, demo=DEMOS[0], status=0):
        """What the program said, as numbers, and the summary of what was recorded. Every count is compared."""
        got, out, err = run(GOLANES, 'record', '-q', '--force', '--block', '-o', self.path, '--', demo, *map(str, words))
        self.assertEqual(got, status, err)
        said = {name: int(n) for name, n in (line.split() for line in out.splitlines()) if n.isdigit()}
        status, out, err = run(GOLANES, 'summary', '--json', '--top', '1000', self.path)
        self.assertEqual(status, 0, err)
        trace = json.loads(out)
        self.assertEqual(trace['lost']['events'], 0)
        for name, (group, key) in SAME.items():
            self.assertEqual(trace[group].get(key, 0), said[name], name)
        sends = trace['sends']
        self.assertEqual(sends['n'], sum(said[n] for n in ('sends', 'send_panics', 'select_sends', 'select_panics')))
        self.assertTrue(said['straddles'] <= sends['straddling'] <= said['straddles'] + said['straddles_maybe'])
        return said, trace

    def test_k_straddling_sends_are_exactly_k(self):
        for i, k in enumerate((0, 1, 13, 250)):
            said, trace = self.record('--procs', 1 + i % 3, '--sends', 40, '--straddle', k, '--sends', 40, '--gc', 1,
                                      demo=DEMOS[i % 2])
            self.assertEqual((said['straddles'], said['straddles_maybe']), (k, 0))
            sends = trace['sends']
            self.assertEqual(sends['straddling'], k)
            self.assertEqual(sends['straddling_goroutines'], k)
            self.assertTrue(not k or sends['recorded'])
            self.assertLessEqual(len({s['channel'] for s in sends['worst']}), 1)
            for s in sends['worst']:
                self.assertRegex(s['channel'], '^0x[0-9a-f]+$')
                self.assertIn(s['group'], ('send_one', 'select_one'))
                self.assertEqual((s['pauses'], s['released']['operation'], s['released']['inferred']), (2, 'receive', False))
                self.assertTrue(s['begin'] < s['touched'][0]['begin'] < s['released']['at'] < s['end'])
                self.assertEqual(os.path.basename(s['site']['file']), 'demo_sends.c')

    def test_g_leaks_are_exactly_g(self):
        for g in (0, 1, 64):
            said, trace = self.record('--sends', 10, '--leak', g, '--gc', 1, '--system', 2)
            self.assertEqual(said['leaks'], g)
            stuck = [s for s in trace['stuck'] if not s['system'] and not s['idle']]
            self.assertEqual(sum(s['n'] for s in stuck), g)
            for s in stuck:
                self.assertEqual((s['start'], s['reason'], s['created_at']['func']),
                                 ('send_one' if s['reason'] == 'chan send' else 'receive_one', s['reason'], 'demo_leak'))

    def test_everything_at_once(self):
        said, trace = self.record('--straddle', 5, '--leak', 3, '--send-closed', 7, '--close-closed', 4, '--select', 200,
                                  '--pipeline', 300, '--storm', 60, '--gc', 2, '--stop', 2, '--system', 3)
        self.assertEqual(trace['stw']['by_reason'], {'GC sweep termination': said['gcs'], 'GC mark termination': said['gcs'],
                                                     'GOMAXPROCS': 2})
        # The collector's own goroutine has the name of its function, though all it calls was inlined into it.
        self.assertIn('collect_garbage', {g['name'] for g in trace['goroutines']})

    def test_ends_like_the_program(self):
        _, trace = self.record('--sends', 5, '--deadlock', status=2)
        self.assertEqual(sum(s['n'] for s in trace['stuck'] if not s['system']), 2)
        self.record('--sends', 5, '--uncaught', demo=DEMOS[1], status=2)


if __name__ == '__main__':
    suite.main()
