#!/usr/bin/env python3
"""The times of operations on channels are those that the program itself sees, with --exact-times and without.

    times.py --golanes PROGRAM --source DIR --work DIR [--release R]...

Each lies between the program's stamps around it; no value is received before its send has begun; and which begins have a
time of their own, and which that of what follows, is as docs/probe.md says.
"""
import argparse
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'gobin'))
from toolchains import builders  # noqa: E402  pylint: disable=wrong-import-position
from checks import all_well, end, say, skip  # noqa: E402  pylint: disable=wrong-import-position

TRIES = 5  # a busy machine may lose events; then nothing can be said of counts
COUNT = 200
SLACK = 200000  # ns that two readings of two clocks may differ; what the program does between operations takes five times as long
NAMES = {'send': ('ChanSendBegin', 'ChanSendEnd'), 'receive': ('ChanRecvBegin', 'ChanRecvEnd')}


def golanes(a, *words):
    return subprocess.run([a.golanes, *words], stdout=subprocess.PIPE, text=True, timeout=100, check=True).stdout


def record(a, exe, trace, *options):
    for _ in range(TRIES):
        out = golanes(a, 'record', '-q', '--force', '-o', trace, *options, '--', exe, str(COUNT))
        if 'Lost' not in json.loads(golanes(a, 'info', '--json', trace))['by_type']:
            return out
        print('     events were lost, which is told: once more')
    skip('this machine is so busy that events are lost each time')


class Seen:
    """What the trace has of one channel and one kind of operation: begins and ends, each (place in the trace, time, event)."""

    def __init__(self, events, chan, names):
        begins, ends = ([(i, e['t'], e) for i, e in enumerate(events) if e['name'] == name and e['args']['chan'] == chan] for name in names)
        self.begins, self.ends = begins, ends


def shares_time(events, place, following):
    """Whether the event has the time of the next of its thread."""
    return following[place] is not None and events[following[place]]['t'] == events[place]['t']


def check(label, a, out, trace, exact):
    events = [json.loads(line) for line in golanes(a, 'events', '--json', trace).splitlines()]
    zero = next(e['args']['monotonic_ns'] - e['t'] for e in events if e['name'] == 'ClockSync')
    following, last = [None] * len(events), {}
    for i, e in enumerate(events):
        if 'm' in e:
            if e['m'] in last:
                following[last[e['m']]] = i
            last[e['m']] = i
    told = {}
    for line in out.splitlines():
        kind, chan, what, before, after = line.split()
        told.setdefault((kind, what, chan), []).append((int(before) - zero, int(after) - zero))
    seen, shared = {}, {}
    for (kind, what, chan), stamps in told.items():
        s = seen[kind, what] = Seen(events, chan, NAMES[what])
        if not say(len(s.begins) == len(s.ends) == len(stamps) == COUNT, f'{label}: {kind}, {what}: {len(s.begins)} begins, {len(s.ends)} ends'):
            return
        wrong = [(b[1] - x, e[1] - b[1], y - e[1]) for b, e, (x, y) in zip(s.begins, s.ends, stamps)
                 if not x - SLACK <= b[1] <= e[1] <= y + SLACK]
        say(not wrong, f'{label}: {kind}, {what}: {len(wrong)} lie not between the stamps around them {wrong[:3]}')
        shared[kind] = sum(shares_time(events, b[0], following) for b in s.begins)
    for kind in ('unbuffered', 'buffered'):
        early = sum(r[0] < b[0] for b, r in zip(seen[kind, 'send'].begins, seen[kind, 'receive'].ends))
        say(early == 0, f'{label}: {kind}: {early} values are received before their send begins')
    late = sum(e[0] < r[0] for e, r in zip(seen['unbuffered', 'send'].ends, seen['unbuffered', 'receive'].begins))
    say(late == 0, f'{label}: unbuffered: {late} sends end before their receive begins')
    most, few = COUNT * 3 // 4, COUNT // 4
    for kind in shared:
        omitted = not exact and kind in ('unbuffered', 'free')
        say(shared[kind] > most if omitted else shared[kind] < few,
            f'{label}: {kind}: {shared[kind]} of {COUNT} begins have the time of what follows them')


def main():
    ap = argparse.ArgumentParser()
    for name in ('golanes', 'source', 'work'):
        ap.add_argument('--' + name, required=True)
    ap.add_argument('--release', action='append')
    a = ap.parse_args()
    a.work = os.path.abspath(a.work)
    os.makedirs(a.work, exist_ok=True)
    for builder in builders(a.release or ['1.19', '1.24', '1.26'], a.work):
        exe = builder.build('plain', sources=[os.path.join(os.path.abspath(a.source), 'times.go')], name='times-')
        trace = os.path.join(a.work, f'times-{builder.version}.lanes')
        check(builder.version, a, record(a, exe, trace), trace, False)
        check(f'{builder.version} exact', a, record(a, exe, trace, '--exact-times'), trace, True)
        if all_well():
            os.unlink(trace)
    end()


main()
