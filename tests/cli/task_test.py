#!/usr/bin/env python3
"""golanes tasks --task N: what happened in one task, against the trace's own table of events."""
import json

from harness import main, unpacked
from written import Trace, WrittenCase


def program():
    t = Trace()
    t.running(1, at='main.main:1')
    t.ev(1000, 'TaskBegin', 1, 7, 0, 'order')
    t.ev(2000, 'TaskBegin', 1, 8, 7, 'pay')
    t.ev(2500, 'TaskBegin', 1, 9, 0, 'other')
    t.go(3000, 1, 20, 'main.worker', start=4000, p=1)
    t.ev(5000, 'RegionBegin', 20, 7, 'pack', p=1)
    t.ev(6000, 'UserLog', 20, 7, 'size', 'large', p=1)
    t.block(7000, 20, 'chan receive', 'runtime.chanrecv1:1<main.worker:20', p=1)
    t.wake(9000, 1, 20, 9500, p=1)
    t.ev(10000, 'RegionEnd', 20, 7, 'pack', p=1)
    t.ev(10500, 'UserLog', 1, 9, 'size', 'of another')
    t.ev(11000, 'TaskEnd', 1, 8)
    t.ev(12000, 'TaskEnd', 1, 7)
    return t


class Task(WrittenCase):
    def test_its_story(self):
        path = self.write(program())
        d = self.answer('tasks', path, '--task', '7')
        self.assertEqual((d['found'], d['name'], d['parent'], d['begin'], d['end']), (True, 'order', None, 1000, 12000))
        self.assertEqual([(e['time'], e['event'], e['goroutine'], e['child'], e['name'], e['message']) for e in d['events']],
                         [(1000, 'task begins', 1, None, 'order', ''), (2000, 'child begins', 1, 8, 'pay', ''),
                          (5000, 'region begins', 20, None, 'pack', ''), (6000, 'message', 20, None, 'size', 'large'),
                          (10000, 'region ends', 20, None, 'pack', ''), (11000, 'child ends', 1, 8, '', ''),
                          (12000, 'task ends', 1, None, '', '')])
        (region,) = d['regions']
        times = {'running': 2500, 'sched': 500, 'waiting': 2000, 'syscall': 0}
        self.assertEqual((region['type'], region['goroutine'], region['begin'], region['end'], region['time_ns']),
                         ('pack', 20, 5000, 10000, times))
        self.assertEqual([(w['goroutine'], w['start'], w['events'], w['regions']) for w in d['goroutines']],
                         [(1, 'main.main', 4, 0), (20, 'main.worker', 3, 1)])
        self.assertEqual(d['goroutines'][1]['time_ns'], times)
        child = self.answer('tasks', path, '--task', '8')
        self.assertEqual((child['parent'], [e['event'] for e in child['events']]), (7, ['task begins', 'task ends']))

    def test_its_page(self):
        path = self.write(program())
        page = self.golanes('tasks', '-q', '--task', '7', path).out.decode()
        for words in ('TASK 7', 'order', 'child begins', 'task 8 pay', 'size: large', 'ITS REGIONS', 'main.worker', 'WHO WORKED ON IT'):
            self.assertIn(words, page)
        self.assertNotIn('of another', page)
        self.assertIn('NO SUCH TASK', self.golanes('tasks', '-q', '--task', '99', path).out.decode())
        self.assertFalse(self.answer('tasks', path, '--task', '99')['found'])

    def test_real_tasks_have_the_events_that_the_trace_has(self):
        path = self.put('t.trace', unpacked('traces/annot-gens-go1.25'))
        events = [json.loads(line) for line in self.golanes('events', '-q', '--json', path).out.splitlines()]
        checked = 0
        for task in self.answer('tasks', path, '--top', '3')['tasks']:
            d = self.answer('tasks', path, '--task', str(task['task']), '--top', '100000')
            want = [e['t'] for e in events if e.get('args', e).get('task') == task['task'] or e.get('args', e).get('parent') == task['task']]
            own = [e for e in d['events'] if e['event'] != 'child ends']
            self.assertEqual([e['time'] for e in own], want)
            self.assertEqual(sum(e['event'] == 'message' for e in own), task['messages'])
            checked += len(want)
        self.assertGreater(checked, 9)


if __name__ == '__main__':
    main()
