"""Exports opened by programs from npm that they are for: speedscope, a reader of Chrome's JSON, DuckDB. Each is installed
into a folder of its own where npm can; GOLANES_NPM_FOLDER names one that has them already."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path[:0] = [os.path.join(os.path.dirname(__file__), '..', 'cli'), os.path.dirname(__file__)]
import goref
import harness

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'consumers.cjs')
PACKAGES = {'speedscope': 'speedscope@1.25.0', 'chrome': 'chrome-trace@0.2.1', 'duckdb': '@duckdb/node-api'}


def install():
    """The folder, and why a package is not there."""
    folder = os.environ.get('GOLANES_NPM_FOLDER')
    if folder:
        return folder, {}
    if not shutil.which('npm') or not shutil.which('node'):
        goref.skip('npm and node are not installed')
    folder = tempfile.mkdtemp(prefix='golanes-npm-')
    with open(os.path.join(folder, 'package.json'), 'w', encoding='utf-8') as f:
        f.write('{"private": true}')
    why = {}
    for name, package in PACKAGES.items():
        words = ['npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts', '--fetch-retries=1', '--fetch-timeout=20000', package]
        try:
            p = subprocess.run(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=240)
            said = p.stdout.strip().splitlines() if p.returncode else None
        except subprocess.TimeoutExpired:
            said = ['it takes too long']
        if said is not None:
            why[name] = f'npm gives no {package} here: ' + (said or ['?'])[-1][:200]
            if len(why) == len(PACKAGES):
                shutil.rmtree(folder, ignore_errors=True)
                goref.skip('; '.join(why.values()))
    return folder, why


class Consumers(harness.Case):
    def setUp(self):
        super().setUp()
        self.trace = self.put('t.trace', harness.unpacked('traces/annot-gens-go1.25'))

    def node(self, mode, *words):
        if mode in WHY:
            self.skipTest(WHY[mode])
        p = subprocess.run(['node', SCRIPT, mode, *words], cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                           check=False, timeout=120)
        self.assertEqual(p.returncode, 0, p.stderr[-2000:])
        lines = p.stdout.strip().splitlines()
        return json.loads(lines[-1]), p.stdout + p.stderr

    def export(self, name, to, *more):
        self.golanes('export', '-qf', self.trace, '--to', to, *more, '-o', self.path(name))
        return self.path(name)

    def test_speedscope_opens_chrome_json(self):
        profiles, said = self.node('speedscope', self.export('t.json', 'chrome'))
        # The states of a goroutine lie side by side: it drops none. (Regions may overlap, as a program can have them.)
        dropped = [line[:200] for line in said.splitlines() if re.search(r'Tried to end "(running|runnable|chan |select|sleep|sync)', line)]
        self.assertEqual(dropped[:3], [])
        names = ' '.join(p['name'] for p in profiles)
        self.assertIn('main.main', names)
        self.assertGreater(sum(p['frames'] for p in profiles), 50)
        summary = json.loads(self.golanes('summary', '--json', '-q', self.trace).out)
        longest = max(p['total'] for p in profiles if p['unit'] == 'microseconds')
        self.assertLessEqual(longest, summary['time']['raw_end_ns'] / 1000 + 1)

    def test_speedscope_opens_folded_stacks(self):
        for profile in ('sched', 'wait'):
            path = self.export(profile + '.folded', 'folded', '--profile', profile)
            with open(path, encoding='utf-8') as f:
                want = sum(int(line.rsplit(' ', 1)[1]) for line in f)
            (profile,), _ = self.node('speedscope', path)
            self.assertEqual(profile['total'], want)
            self.assertGreater(profile['frames'], 3)

    def test_a_reader_of_chrome_json(self):
        found, _ = self.node('chrome', self.export('t.json', 'chrome'))
        self.assertIn('eventTypeTime', found)

    def test_duckdb_says_what_the_summary_says(self):
        summary = json.loads(self.golanes('summary', '--json', '-q', self.trace).out)
        raw = summary['goroutine_totals']['raw_sum']
        for to, read in (('csv', 'read_csv_auto'), ('jsonl', 'read_json_auto')):
            spans = self.export('spans.' + to, to, '--table', 'spans')
            events = self.export('events.' + to, to, '--table', 'events')
            rows, _ = self.node('duckdb', f"select lower(state), sum(duration_ns)::bigint from {read}('{spans}') group by 1 order by 1")
            times = {state: int(ns) for state, ns in rows}
            self.assertEqual(times, {state: raw[state] for state in times})
            self.assertEqual(set(times) >= {'running', 'runnable', 'waiting'}, True)
            rows, _ = self.node('duckdb', f"select count(*) from {read}('{events}')")
            self.assertEqual(int(rows[0][0]), summary['events']['total'])


if __name__ == '__main__':
    FOLDER, WHY = install()
    try:
        harness.main()
    finally:
        if not os.environ.get('GOLANES_NPM_FOLDER'):
            shutil.rmtree(FOLDER, ignore_errors=True)
