#!/usr/bin/env python3
"""golanes diff over runs of real programs: silent for two runs of the same one, however busy the machine is, and finding what
was planted. GOLANES_DIFF_REPEATS: how often each (20 shows what is claimed); GOLANES_DIFF_TRIES: how many pairs of runs each may
take, where only a fault of golanes is looked for: what other programs do to a machine meanwhile is not in its hands."""
import os
import resource
import time
import unittest

import harness
from go_case import GoCase

REPEATS = int(os.environ.get('GOLANES_DIFF_REPEATS', '3'))
TRIES = int(os.environ.get('GOLANES_DIFF_TRIES', '1'))
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

    def each(self, differences, wrong, timed=False):
        """Each time what a pair differs in is as it should be: wrong gives what is not, or None. timed: times alone tell it."""
        for i in range(REPEATS):
            for _ in range(TRIES):
                d = differences()
                what = wrong(d)
                if not what:
                    break
            else:
                if timed and TRIES > 1 and d['mood'] > BUSY:
                    self.skipTest('the machine is so busy each time that a time three times as long says little')
                self.fail(f'pair {i}, mood {d["mood"]}: {what}')

    def assert_silent(self, *options):
        def wrong(d):
            return [(x['what'], x['of'], x['factor']) for x in d['differences']]
        self.each(lambda: self.differences(self.record('a', *options), self.record('b', *options)), wrong)

    def record_fed(self, name, *options):
        """A run that got a processor when it wanted one, more or less."""
        for _ in range(10):
            path, times = starved(lambda: self.record(name, *options))
            if times < STARVED:
                return path
        self.skipTest('the machine is too busy for times to say anything of the program')

    def assert_found(self, what, of, before, after, record=None):
        """As sure where the machine was not busy with something else."""
        timed, record = record is not None, record or self.record

        def wrong(d):
            told = d['differences'] + (d['unsure'] if d['mood'] > BUSY else [])
            return None if [x for x in told if x['what'] == what and of in x['of'] and x['worse']] else d
        self.each(lambda: self.differences(record('before', *before), record('after', *after)), wrong, timed)


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
