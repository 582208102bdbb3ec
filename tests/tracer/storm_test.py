"""Threads and processes by the thousand: every event is in the file, or among those that are said to be lost."""
import json

from harness import EMITTER, GOLANES, Case, main


class Storm(Case):
    def storm(self, *words):
        code, _, err = self.record('-q', '-o', 'run.lanes', EMITTER, *words)
        if code == 99:
            self.skipTest('so many threads are not to be had here')
        self.assertEqual(code, 0, err)
        code, out, err = self.run_words(GOLANES, 'summary', '--json', '--top', 1, 'run.lanes')
        self.assertEqual(code, 0, err)
        return json.loads(out)

    def exact(self, trace, writers, events):
        counts, lost = trace['counts'], trace['lost']['events']
        self.assertEqual(counts['HeapLive'] + counts['GoStart'] + counts['GoEnd'] + lost, writers * (events + 2))
        self.assertEqual(trace['complete'], lost == 0)
        return lost

    def test_a_hundred_thousand_threads_in_turn(self):
        trace = self.storm('churn', 100000, 'events', 3)
        self.assertEqual(self.exact(trace, 100000, 3), 0)
        self.assertEqual(trace['goroutine_totals']['ended'], 100000)

    def test_two_thousand_threads_at_once(self):
        self.exact(self.storm('threads', 2000, 'events', 500), 2000, 500)

    def test_five_hundred_children_at_once(self):
        trace = self.storm('fork', 500, 'events', 100)
        self.assertEqual(self.exact(trace, 500, 100), 0)
        self.assertEqual(trace['goroutine_totals']['ended'], 500)


if __name__ == '__main__':
    main()
