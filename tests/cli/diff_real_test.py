#!/usr/bin/env python3
"""golanes diff over runs of real programs: silent for two runs of the same one, however busy the machine is, and finding what
was planted. GOLANES_DIFF_REPEATS: how often each (20 shows what is claimed)."""
import os
import resource
import time
import unittest

import harness
from go_case import GoCase

REPEATS = int(os.environ.get('GOLANES_DIFF_REPEATS', '3'))
DEMO = os.environ.get('CHANRT_DEMO', '')
PLACE = os.path.dirname(os.path.abspath(__file__))
BUSY = 1.4  # beyond such a mood a difference may be told as one that the machine may explain
STARVED = 4  # a run that took so many times its processor time shows the machine's times, not the program's


def starved(run):
    """What it gives, and how many times its processor time it took."""
    def used():
        u = resource.getrusage(resource.RUSAGE_CHILDREN)
        return u.ru_utime + u.ru_stime
    cpu, wall = used(), time.monotonic()
    given = run()
    return given, (time.monotonic() - wall) / max(used() - cpu, 0.01)


class Runs(GoCase):
    """Runs of what self.record makes of a name and of options."""

    def differences(self, a, b):
        return self.golanes('diff', '-q', '--json', a, b).json_lines()[0]

    def assert_silent(self, *options):
        for i in range(REPEATS):
            a, b = self.record(f'a{i}', *options), self.record(f'b{i}', *options)
            d = self.differences(a, b)
            said = [(x['what'], x['of'], x['factor']) for x in d['differences']]
            self.assertEqual(said, [], f'pair {i}, mood {d["mood"]}')

    def record_fed(self, name, *options):
        """A run that got a processor when it wanted one, more or less."""
        for _ in range(10):
            path, times = starved(lambda: self.record(name, *options))
            if times < STARVED:
                return path
        self.skipTest('the machine is too busy for times to say anything of the program')

    def assert_found(self, what, of, before, after, record=None):
        """Each time; as sure where the machine was not busy with something else."""
        record = record or self.record
        for i in range(REPEATS):
            d = self.differences(record('before', *before), record('after', *after))
            told = d['differences'] + (d['unsure'] if d['mood'] > BUSY else [])
            self.assertTrue([x for x in told if x['what'] == what and of in x['of'] and x['worse']], (i, d))


class GoRuns(Runs):
    sources = {'differs': os.path.join(PLACE, 'differs'), 'pipeline': os.path.join(harness.SOURCE, 'examples', 'go', 'pipeline')}
    program = 'differs'

    def record(self, name, *options):
        return self.trace_program(self.path(name + '.trace'), self.programs[self.program], *options)

    def test_nothing_is_said_of_two_runs(self):
        self.assert_silent()

    def test_pauses_three_times_as_long(self):
        self.assert_found('pause length', 'GC', [], ['-hold', '6144'], self.record_fed)

    def test_fifty_are_left_behind(self):
        self.assert_found('stuck', 'main.left', [], ['-leak', '50'])


class GoRunsOfATime(GoRuns):
    """A program that runs for a time: how much it does in it depends on the machine."""
    program = 'pipeline'
    test_pauses_three_times_as_long = test_fifty_are_left_behind = None

    def test_nothing_is_said_of_two_runs(self):
        self.assert_silent('-for', '300ms')


class Recorded(GoRuns):
    """The same program as it is, without a tracer of its own: channels are known, with their capacities."""
    test_pauses_three_times_as_long = None

    def record(self, name, *options):
        return self.record_program(self.path(name + '.lanes'), self.programs[self.program], *options)

    def test_a_smaller_channel(self):
        self.assert_found('channel capacity', 'main.request', [], ['-cap', '4'])


class Chanrt(Recorded):
    test_a_smaller_channel = None

    @classmethod
    def setUpClass(cls):
        if not os.path.exists(DEMO):
            raise unittest.SkipTest('examples/chanrt was not built')
        cls.programs = {'differs': DEMO}

    def test_nothing_is_said_of_two_runs(self):
        self.assert_silent('--pipeline', '1000', '--storm', '300', '--select', '300', '--gc', '10')

    def test_fifty_are_left_behind(self):
        what = ['--pipeline', '300', '--gc', '5']
        self.assert_found('stuck', '', what, [*what, '--leak', '50'])


if __name__ == '__main__':
    harness.main()
