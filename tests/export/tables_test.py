"""CSV and JSON lines loaded by SQLite, and what a query says compared with the summary; and every refusal has its place."""
import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys

sys.path[:0] = [os.path.join(os.path.dirname(__file__), '..', 'cli'), os.path.dirname(__file__)]
import harness

TABLES = ('events', 'spans', 'goroutines', 'waits', 'straddles', 'pauses', 'regions', 'tasks', 'logs', 'stacks')


class Tables(harness.Case):
    def setUp(self):
        super().setUp()
        self.trace = self.put('t.trace', harness.unpacked('traces/annot-gens-go1.25'))

    def export(self, to, table, *more):
        return self.golanes('export', '-q', self.trace, '--to', to, '--table', table, *more).out.decode()

    def summary(self):
        return json.loads(self.golanes('summary', '--json', '-q', self.trace).out)

    def database(self):
        """Every table of the trace, as SQLite itself reads CSV."""
        if not shutil.which('sqlite3'):
            self.skipTest('sqlite3 is not installed')
        path = self.path('t.db')
        commands = ['.mode csv']
        for table in TABLES:
            with open(self.path(table + '.csv'), 'w', encoding='utf-8') as f:
                f.write(self.export('csv', table))
            commands.append(f'.import {self.path(table + ".csv")} {table}')
        subprocess.run(['sqlite3', '-bail', path], input='\n'.join(commands), text=True, check=True, timeout=60)
        db = sqlite3.connect(path)
        self.addCleanup(db.close)
        return db

    def test_sqlite_says_what_the_summary_says(self):
        db, want = self.database(), self.summary()

        def ask(query):
            return db.execute(query).fetchall()
        self.assertEqual(ask('select count(*) from events')[0][0], want['events']['total'])
        raw = want['goroutine_totals']['raw_sum']
        for state in ('running', 'runnable', 'waiting', 'syscall'):
            self.assertEqual(ask(f'select sum(cast({state}_ns as integer)) from goroutines')[0][0], raw[state])
            self.assertEqual(ask(f"select coalesce(sum(cast(duration_ns as integer)), 0) from spans where lower(state) = '{state}'")[0][0],
                             raw[state], state)
        self.assertEqual(ask("select count(*) from pauses where kind = 'stw'")[0][0], want['stw']['count'])
        self.assertEqual(ask("select max(cast(duration_ns as integer)) from pauses where kind = 'stw'")[0][0], want['stw']['max_ns'])
        self.assertEqual(dict(ask("select reason, sum(cast(wait_ns as integer)) from waits where reason != '' group by 1")),
                         {k: v for k, v in raw['block'].items() if k})
        self.assertEqual(ask("select count(*) from events where event = 'UserLog'")[0][0], ask('select count(*) from logs')[0][0])
        self.assertGreater(ask('select count(*) from regions')[0][0], 100)
        tasks = ask("select count(*) from tasks where open_begin = 'false'")[0][0]
        self.assertEqual(tasks, ask("select count(*) from events where event = 'TaskBegin'")[0][0])
        orphans = ask("select count(*) from spans where stack != '' and stack not in (select stack from stacks)")[0][0]
        self.assertEqual(orphans, 0)

    def test_json_lines_and_csv_hold_the_same(self):
        for table in TABLES:
            rows = list(csv.DictReader(io.StringIO(self.export('csv', table))))
            objects = [json.loads(line) for line in self.export('jsonl', table).splitlines()]
            self.assertEqual(len(rows), len(objects), table)
            for row, o in zip(rows, objects):
                known = {k: v for k, v in row.items() if v != ''}
                shown = {k: ('true' if v else 'false') if isinstance(v, bool) else str(v) for k, v in o.items() if v != ''}
                self.assertEqual(known, shown)

    def test_types_are_the_same_in_every_row(self):
        for table in TABLES:
            kinds = {}
            for line in self.export('jsonl', table).splitlines():
                for key, value in json.loads(line).items():
                    self.assertEqual(kinds.setdefault(key, type(value)), type(value), f'{table}.{key}')

    def test_selection_is_that_of_events(self):
        chosen = ('--from', '1ms', '--type', 'GoBlock,GoStart', '--limit', '40')
        listed = [json.loads(x) for x in self.golanes('events', '--json', '-q', self.trace, *chosen).out.splitlines()]
        rows = [json.loads(x) for x in self.export('jsonl', 'events', *chosen).splitlines()]
        self.assertEqual([(e['t'], e['name']) for e in listed], [(r['time_ns'], r['event']) for r in rows])
        self.assertEqual(len(rows), 40)

    def test_columns_in_the_order_asked_for(self):
        text = self.export('csv', 'spans', '--columns', 'state,g,end_ns')
        self.assertEqual(text.splitlines()[0], 'state,g,end_ns')
        self.assertEqual({line.count(',') for line in text.splitlines()}, {2})

    def test_texts_that_need_quotes(self):
        trace = self.put('q.trace', harness.unpacked('traces/annot-go1.27'))
        self.trace = trace
        rows = list(csv.reader(io.StringIO(self.export('csv', 'events'))))
        self.assertEqual({len(r) for r in rows}, {len(rows[0])})

    def test_refusals_point_at_the_place(self):
        def refuse(*words, names):
            r = harness.run('export', self.trace, *words)
            self.assertEqual(r.code, harness.USAGE)
            self.assert_refused(r, *names)
        refuse('--to', 'cvs', names=['cvs', 'chrome', 'csv', 'perfetto'])
        refuse(names=['--to is missing', 'chrome'])
        refuse('--to', 'csv', '--table', 'span', names=['span', 'straddles', 'goroutines'])
        refuse('--to', 'csv', '--table', 'spans', '--columns', 'g,statex,reason', names=['g,>>statex<<,reason', 'group_func'])
        refuse('--to', 'csv', '--table', 'spans', '--columns', 'g,', names=['g,>><<', 'group_func'])
        refuse('--to', 'pprof', '--profile', 'block', names=['block', 'sync', 'straddle'])
        refuse('--to', 'chrome', '--table', 'spans', names=['--table', 'csv and jsonl', 'chrome'])
        refuse('--to', 'chrome', '--type', 'GoBlock', names=['--type'])
        refuse('--to', 'csv', '--from', '2ms', '--to', '1ms', names=['--from is not before --to'])

    def test_a_file_is_whole_or_not_there(self):
        out = self.path('big.csv')
        r = harness.run('export', '-q', self.trace, '--to', 'csv', '-o', out, fsize=65536)
        self.assertEqual(r.code, harness.OUTPUT, r.err)
        self.assertFalse(os.path.exists(out))
        self.golanes('export', '-q', self.trace, '--to', 'csv', '-o', out)
        self.golanes('export', '-q', self.trace, '--to', 'csv', '-o', out, code=harness.OUTPUT)
        self.golanes('export', '-q', self.trace, '--to', 'csv', '-f', '-o', out)


if __name__ == '__main__':
    harness.main()
