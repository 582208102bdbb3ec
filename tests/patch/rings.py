#!/usr/bin/env python3
"""Rings of a recorded Go program, over its life and a recorder's.

    rings.py --run PATCH_RUN --source DIR --work DIR [--release R]

Many more threads than there are rings come and go, and each has one. A recorder is killed: the next one takes over, and
what the rings of the first still held is counted.
"""
import argparse
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'gobin'))
from toolchains import builders  # noqa: E402  pylint: disable=wrong-import-position
from checks import end, say, skip  # noqa: E402  pylint: disable=wrong-import-position


def facts(path):
    out = {}
    if os.path.exists(path):
        with open(path, encoding='utf-8') as f:
            for line in f:
                name, count = line.rsplit('\t' if '\t' in line else ' ', 1)
                if count.strip().isdigit():
                    out[name] = int(count)
    return out


def churn(a, exe):
    """Threads that start while the recorder gets no processor may find no ring, which is counted: then once more."""
    rounds, many = 6, 30
    told = exe + '.facts'
    for _ in range(4):
        p = subprocess.run([a.run, '--facts', told, '--', exe, str(rounds), str(many)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True, timeout=120)
        got = facts(told)
        if got.get('lost') == 0:
            break
        print(f'     {got.get("lost")} events lost, which is told: once more', flush=True)
    else:
        skip('this machine is so busy that events are lost each time')
    say(p.returncode == 0 and p.stdout == f'sends {rounds * many}\n', f'the program ended as it should: {p.stdout!r} {p.stderr.strip()[:300]}')
    say(got.get('threads', 0) > rounds * many, f'{got.get("threads")} threads were recorded')
    say(got.get('violations') == 0 and got.get('steps-back') == 0,
        f'{got.get("violations")} states out of turn, {got.get("steps-back")} steps back')
    say(got.get('ChanSendBegin', 0) >= rounds * many, f'{got.get("ChanSendBegin")} sends were seen')


def left(a, exe):
    told = exe + '.facts'
    p = subprocess.Popen([exe, '60s', 'quiet'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    p.stdout.readline()
    r = subprocess.Popen([a.run, '-p', str(p.pid), '--for', '60000'], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    r.stderr.readline()
    r.kill()
    r.communicate()
    time.sleep(0.5)
    r = subprocess.run([a.run, '--facts', told, '-p', str(p.pid), '--for', '200'], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                       text=True, timeout=120)
    got = facts(told)
    say(r.returncode == 0 and got.get('events', 0) > 0, f'taken over: {got.get("events")} events {r.stderr.strip()[:300]}')
    say(got.get('left', 0) > 0, f'{got.get("left")} records that the killed recorder left are counted')
    p.kill()
    p.wait()


def main():
    ap = argparse.ArgumentParser()
    for name in ('run', 'source', 'work'):
        ap.add_argument('--' + name, required=True)
    ap.add_argument('--release', default='1.26')
    a = ap.parse_args()
    a.work, a.source = os.path.abspath(a.work), os.path.abspath(a.source)
    os.makedirs(a.work, exist_ok=True)
    builder = next(builders([a.release], a.work))
    exe = {name: builder.build('plain', sources=[os.path.join(a.source, name + '.go')], with_c=os.path.join(a.source, 'with_c.go'),
                               name=name + '-') for name in ('churn', 'busy')}
    left(a, exe['busy'])
    churn(a, exe['churn'])
    end()


main()
