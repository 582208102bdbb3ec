#!/usr/bin/env python3
"""A busy program is joined and let go, again and again: it lives, nothing stays behind, and at last it ends well.

    attach.py --run PATCH_RUN --source DIR --work DIR [--times N] [--release R]...

It has SIGPROF at 2 kHz, collections, timers, and starts children all the while.
"""
import argparse
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'gobin'))
from toolchains import builders  # noqa: E402  pylint: disable=wrong-import-position


def mappings(pid):
    """Of files and such, which come and go with nobody's heap; and how many others there are."""
    with open(f'/proc/{pid}/maps', encoding='utf-8') as f:
        lines = [line.split() for line in f]
    named = sorted((x[0], x[1], x[5]) for x in lines if len(x) > 5 and x[5] not in ('[heap]', '[stack]') and not x[5].startswith('[anon'))
    executable = [x[0] for x in lines if 'x' in x[1]]
    return named, executable, len(lines) - len(named)


def descriptors(pid):
    """Those that are not its own pipes to children."""
    out = []
    for fd in os.listdir(f'/proc/{pid}/fd'):
        try:
            name = os.readlink(f'/proc/{pid}/fd/{fd}')
        except OSError:
            continue
        if 'golanes' in name:
            out.append(name)
    return out


def facts(path):
    with open(path, encoding='utf-8') as f:
        return {name: int(n) for name, n in (line.rstrip('\n').split('\t') for line in f) if n.isdigit()}


def storm(a, exe, release):
    told = exe + '.facts'
    p = subprocess.Popen([exe, '3000s', 'all'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    p.stdout.readline()
    events = lost = out_of_turn = 0
    bad, first = [], None
    for i in range(a.times):
        r = subprocess.run([a.run, '--facts', told, '-p', str(p.pid), '--for', '30'], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                           text=True, timeout=200)
        if r.returncode != 0 or p.poll() is not None:
            bad.append(f'time {i + 1}: recorder {r.returncode} {r.stderr.strip()[-300:]}, program {p.poll()}')
            break
        got = facts(told)
        events, lost = events + got['events'], lost + got['lost']
        out_of_turn += got['violations'] if got['lost'] == 0 else 0
        first = first or mappings(p.pid)
    if not bad:
        last = mappings(p.pid)
        with open(f'/proc/{p.pid}/status', encoding='utf-8') as f:
            traced = 'TracerPid:\t0' not in f.read()
        if first[:2] != last[:2]:
            bad.append(f'mappings were {first[:2]}, are {last[:2]}')
        if last[2] > first[2] + 16:
            bad.append(f'{last[2]} nameless mappings, {first[2]} after the first time')
        if traced or descriptors(p.pid):
            bad.append(f'traced: {traced}, descriptors: {descriptors(p.pid)}')
        if out_of_turn:
            bad.append(f'{out_of_turn} states out of turn')
    out, err = p.communicate(timeout=100)
    err = ''.join(line for line in err.splitlines(True) if 'cannot set cpu profile rate' not in line)  # the rate was set before
    if p.returncode != 0 or out != 'done\n' or err:
        bad.append(f'it ended with {p.returncode}, {out!r}, {err[:600]!r}')
    print(f'{"FAIL" if bad else "ok  "} go{release}: joined {a.times} times, {events} events, {lost} lost, {len(last[0]) if not bad else 0} '
          f'named mappings before and after, exit {p.returncode}' + ''.join('\n     ' + b for b in bad), flush=True)
    return not bad


def main():
    ap = argparse.ArgumentParser()
    for name in ('run', 'source', 'work'):
        ap.add_argument('--' + name, required=True)
    ap.add_argument('--times', type=int, default=15)
    ap.add_argument('--release', action='append')
    a = ap.parse_args()
    a.work = os.path.abspath(a.work)
    os.makedirs(a.work, exist_ok=True)
    good = True
    for builder in builders(a.release or ['1.26'], a.work):
        exe = builder.build('plain', sources=[os.path.join(os.path.abspath(a.source), 'busy.go')], name='busy-')
        good = storm(a, exe, builder.version) and good
    sys.exit(0 if good else 1)


main()
