#!/usr/bin/env python3
"""The commands that answer one question against the reference figures of a folder of traces: equal where there is one.

    questions.py --golanes PROGRAM FOLDER

Times of the reference that Go's reader has moved (clamped events) are left out, as in the reference's own notes.
"""
import argparse
import glob
import json
import subprocess
import sys

from check_summary import load

SPREAD = ('n', 'total_ns', 'p50_ns', 'p90_ns', 'p99_ns', 'max_ns')
WAITS = ('channel', 'sync', 'network', 'sleep', 'collector', 'other')
WINDOWS = {'100us': 100000, '1ms': 1000000, '10ms': 10000000, '100ms': 100000000}


class Comparing:
    def __init__(self, program):
        self.program, self.compared, self.bad = program, {}, []

    def ask(self, command, trace):
        return json.loads(subprocess.run([self.program, command, '--json', '-q', '--top', '0', trace], stdout=subprocess.PIPE,
                                         check=True).stdout)

    def equal(self, what, want, got, within=0):
        self.compared[what] = self.compared.get(what, 0) + 1
        if abs(want - got) > within if within else want != got:
            self.bad.append(f'{self.name}: {what}: reference {want}, golanes {got}')

    def one(self, path):
        reference = load(path)
        if not reference.get('complete'):
            return
        self.name = path.split('.oracle.json')[0]
        trace = next(iter(glob.glob(self.name + '.trace') + glob.glob(self.name + '.trace.zst')))
        self.latency(reference, trace)
        self.goroutines(reference, trace)
        self.regions(reference, trace)
        self.pauses(reference, trace)

    def latency(self, reference, trace):
        want = reference['latency'].get('runnable')
        if want:
            got = self.ask('latency', trace)['all']
            self.equal('latency', [want[k] for k in SPREAD], [got[k] for k in SPREAD])

    def goroutines(self, reference, trace):
        got = {x['goroutine']: x['time_ns'] for x in self.ask('goroutines', trace)['goroutines']}
        for x in reference['goroutines']:
            raw, mine = x['raw'], got.get(x['id'], {})
            for want, have in (('running', 'running'), ('runnable', 'sched'), ('syscall', 'syscall')):
                self.equal(f'goroutines: {have}', raw.get(want, 0), mine.get(have))
            self.equal('goroutines: waits', raw.get('waiting', 0), sum(mine.get(k, 0) for k in WAITS))

    def regions(self, reference, trace):
        got = {x['type']: x for x in self.ask('regions', trace)['regions']}
        moved = reference['time']['clamped_events'] > 0
        for x in reference['user'].get('regions', []):
            mine = got.get(x['type'])
            self.equal('regions', x['complete'], mine and mine['time']['n'])
            if mine and not moved:
                self.equal('regions: time', x['total_ns'], mine['time']['total_ns'])
                self.equal('regions: running', x['exec_ns'], mine['time_ns']['running'])

    def pauses(self, reference, trace):
        got = self.ask('pauses', trace)
        self.equal('pauses', sorted((x['raw_start'], x['raw_end']) for x in reference['stw']['ranges']),
                   sorted((x['begin'], x['end']) for x in got['pauses']))
        want = reference.get('mmu', {}).get('stw+background+assist', {})
        if not got['mmu'] or reference['time']['clamp_max_shift_ns'] >= 100000:
            return
        curve = {x['window_ns']: x['utilisation'] for x in got['mmu']['curve']}
        for name, ns in WINDOWS.items():
            if name in want and ns in curve:
                self.equal('mmu', want[name], curve[ns], 0.02)


def main():
    a = argparse.ArgumentParser()
    a.add_argument('folder')
    a.add_argument('--golanes', required=True)
    o = a.parse_args()
    c = Comparing(o.golanes)
    for path in sorted(glob.glob(o.folder + '/*.oracle.json*')):
        c.one(path)
    for line in c.bad[:40]:
        print(line)
    print(', '.join(f'{n} of {what}' for what, n in sorted(c.compared.items())) + f' compared, {len(c.bad)} differ')
    return 1 if c.bad or not {'latency', 'goroutines: waits', 'regions: running', 'pauses', 'mmu'} <= set(c.compared) else 0


if __name__ == '__main__':
    sys.exit(main())
