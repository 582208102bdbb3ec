#!/usr/bin/env python3
"""Sends that wait over a pause of the collector are told as the program itself knows them: which, where, how long.

    straddles.py --golanes PROGRAM --source DIR --work DIR [--release R]
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'gobin'))
from toolchains import builders  # noqa: E402  pylint: disable=wrong-import-position
from checks import all_well, end, say, skip  # noqa: E402  pylint: disable=wrong-import-position

TRIES = 5  # a busy machine may lose events; then nothing can be said of counts
ROUNDS = 24


def golanes(a, *words):
    p = subprocess.run([a.golanes, *words], stdout=subprocess.PIPE, text=True, timeout=100, check=True)
    return p.stdout


def near(mine, theirs):
    """Stamps are taken one after the other, and a busy machine comes between some: so it is the median that counts."""
    return statistics.median(abs(x - y) for x, y in zip(mine, theirs)) < max(50000, statistics.median(theirs) / 4)


def holds(mine, theirs):
    """To us the world stands until all threads are told to go on; to the runtime, until they may. So ours is longer, on a
    busy machine by much, but not each time."""
    longer = [x - y for x, y in zip(mine, theirs)]
    return all(x > y * 3 // 4 for x, y in zip(mine, theirs)) and min(longer) < max(100000, statistics.median(theirs) / 4)


def check_sends(kind, told, sends, receiver):
    """told: lines of the program. sends: what straddles says of the same channel. receiver: the only one to receive."""
    over = [t for t in told if t['gc']]
    ok = say(len(sends) == len(over) == ROUNDS // 2, f'{kind}: {len(sends)} sends straddle, the program knows of {len(over)} of {len(told)}')
    if not ok:
        return
    sends.sort(key=lambda s: s['begin'])
    say(all(t['reason'].startswith('GC ') for s in sends for t in s['touched']) and sum(s['pauses'] == 2 for s in sends) >= len(sends) - 1,
        f'{kind}: each meets both stops of its collection, {[t["reason"] for t in sends[0]["touched"]]}')
    say(all(s['site'] and s['site']['func'] == 'main.sendInTime' for s in sends), f'{kind}: at {sends[0]["site"]}')
    say(all(s['group'] == 'main.sendInTime' for s in sends), f'{kind}: by {sends[0]["group"]}, not what the compiler put around it')
    released = [s['released'] for s in sends]
    say(all(r and r['by'] == receiver and r['operation'] == 'receive' for r in released), f'{kind}: released by {released[0]}, which is {receiver}')
    took, stood = [s['end'] - s['begin'] for s in sends], [s['overlap_ns'] for s in sends]
    say(near(took, [t['took'] for t in over]), f'{kind}: took {took[:4]}…, the program says {[t["took"] for t in over][:4]}…')
    say(holds(stood, [t['paused'] for t in over]), f'{kind}: of which the world stood {stood[:4]}…, the runtime says {[t["paused"] for t in over][:4]}…')
    say(all(s['begin'] < t['begin'] < t['end'] < s['end'] for s in sends for t in s['touched']), f'{kind}: the pauses lie within')


def check_total(a, trace, collections, paused):
    begun, stops = {}, []
    for line in golanes(a, 'events', '--json', trace).splitlines():
        e = json.loads(line)
        if e['name'] == 'GCSTWBegin' and e['args']['reason'].startswith('GC '):
            begun = e
        elif e['name'] == 'GCSTWEnd' and begun:
            stops.append(e['t'] - begun['t'])
            begun = {}
    say(2 * collections - 1 <= len(stops) <= 2 * collections + 1, f'{len(stops)} stops for {collections} collections')
    say(sum(stops) > paused * 3 // 4, f'the world stood {sum(stops)} ns in all, the runtime says {paused}')


def main():
    ap = argparse.ArgumentParser()
    for name in ('golanes', 'source', 'work'):
        ap.add_argument('--' + name, required=True)
    ap.add_argument('--release', default='1.26')
    a = ap.parse_args()
    a.work = os.path.abspath(a.work)
    os.makedirs(a.work, exist_ok=True)
    exe = next(builders([a.release], a.work)).build('plain', sources=[os.path.join(os.path.abspath(a.source), 'straddle.go')], name='straddle-')
    trace = os.path.join(a.work, 'straddle.lanes')
    for _ in range(TRIES):
        out = golanes(a, 'record', '-q', '--force', '-o', trace, '--', exe, str(ROUNDS))
        if 'Lost' not in json.loads(golanes(a, 'info', '--json', trace))['by_type']:
            break
        print('     events were lost, which is told: once more')
    else:
        skip('this machine is so busy that events are lost each time')
    told, channels, total = {}, {}, None
    for line in out.splitlines():
        words = line.split()
        if words[0] == 'total':
            total = int(words[1]), int(words[2])
            continue
        channels[words[0]] = words[1]
        told.setdefault(words[0], []).append({'gc': words[2] == 'true', 'took': int(words[3]), 'paused': int(words[4])})
    d = json.loads(golanes(a, 'straddles', '--json', '--top', '0', '--kind', 'send', trace))
    found = [json.loads(line) for line in golanes(a, 'events', '--json', '--type', 'ChanRecvBegin', trace).splitlines()]
    for kind, lines in told.items():
        receivers = {e['g'] for e in found if e['args']['chan'] == channels[kind]}
        say(len(receivers) == 1, f'{kind}: received from by {receivers}')
        check_sends(kind, lines, [s for s in d['worst'] if s['channel'] == channels[kind]], receivers.pop())
    check_total(a, trace, *total)
    if all_well():
        os.unlink(trace)
    end()


main()
