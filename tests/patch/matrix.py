#!/usr/bin/env python3
"""Records made Go programs by the patch backend and holds what came out against what they say of themselves.

    matrix.py --run PATCH_RUN --toolchain SCRIPT --source DIR --work DIR [--all] [--release R]...

For each release and way of building: a storm, launched: counts equal the program's own, no state is out of turn, nothing
is lost, the output is that of an unrecorded run. Then a busy program is attached to and let go again and again.
Without --all: an old release, stripped and position-independent, and a new one, built plainly.
"""
import argparse
import os
import subprocess
import sys
import time

RELEASES = ['1.19', '1.21', '1.22', '1.23', '1.24', '1.25', '1.26', '1.27']
WAYS = {'plain': [], 'stripped': ['-ldflags=-s -w'], 'pie': ['-buildmode=pie'],
        'stripped-pie': ['-buildmode=pie', '-ldflags=-s -w']}
failed = 0


def say(ok, what):
    global failed
    failed += not ok
    print(('ok   ' if ok else 'FAIL ') + what, flush=True)
    return ok


def skip(why):
    print(f'SKIP: {why}')
    sys.exit(77)


def goroot(script, release):
    p = subprocess.run([script, release], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return p.stdout.strip() if p.returncode == 0 else None


def build(root, source, out, flags):
    env = dict(os.environ, GOROOT=root, GOTOOLCHAIN='local', GOFLAGS='', CGO_ENABLED='0', GO111MODULE='off')
    if 'HOME' not in env and 'XDG_CACHE_HOME' not in env:
        env.setdefault('GOCACHE', os.path.join(os.path.dirname(out), 'gocache'))
    subprocess.run([os.path.join(root, 'bin/go'), 'build', *flags, '-o', out, source], env=env, check=True)


def facts(text):
    out = {}
    for line in text.splitlines():
        words = line.split('\t') if '\t' in line else line.split()[1:] if line.startswith('truth ') else []
        if len(words) == 2 and words[1].lstrip('-').isdigit():
            out[words[0]] = int(words[1])
    return out


def storm(a, exe, label):
    # With little to do, the memory of the rings holds it all, however busy the machine is.
    for _ in range(3):
        p = subprocess.run([a.run, '--ring', '16', '--', exe, '600'], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        got = facts(p.stdout)
        if got.get('lost') == 0:
            break
    say(p.returncode == 0 and got.get('exit') == 0, f'{label} storm: ended as it should {p.stderr.strip()[:300]}')
    say(got.get('violations') == 0 and got.get('lost') == 0 and got.get('steps-back') == 0,
        f'{label} storm: states in turn, nothing lost ({got.get("violations")}, {got.get("lost")}, {got.get("steps-back")})')
    # The runtime creates goroutines of its own, and channels of theirs: a few, the same in each run.
    for name, event, own in [('created', 'GoCreate', 16), ('sends', 'ChanSendBegin', 8), ('recvs', 'ChanRecvBegin', 8),
                             ('closes', 'ChanClose', 4), ('selects', 'ChanSelectBegin', 0), ('made', 'ChanMake', 12),
                             ('gcs', 'GCStart', 1)]:
        truth, seen = got.get(name, -1), got.get(event, 0)
        say(truth <= seen <= truth + own, f'{label} storm: {event} {seen}, the program says {truth}')
    for begin, end, open_ in [('ChanSendBegin', 'ChanSendEnd', 2), ('ChanRecvBegin', 'ChanRecvEnd', 2),
                              ('ChanSelectBegin', 'ChanSelectEnd', 0), ('GCSTWBegin', 'GCSTWEnd', 0)]:
        say(0 <= got.get(begin, 0) - got.get(end, 0) <= open_, f'{label} storm: {begin} and {end} pair ({got.get(begin)}, {got.get(end)})')
    # The world is stopped twice in a cycle; the last one may not have ended with the program.
    stops, cycles = got.get('gc-stops', 0), got.get('GCStart', 0)
    say(2 * cycles - 1 <= stops <= 2 * cycles + 1, f'{label} storm: {stops} stops of {cycles} collections say that they are')
    say(got.get('nameless-stops') == 0, f'{label} storm: {got.get("nameless-stops")} stops for no known reason')


def busy(a, exe, label, times):
    p = subprocess.Popen([exe, '300s' if times > 20 else '60s', 'all'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    p.stdout.readline()
    maps = []
    for i in range(times):
        r = subprocess.run([a.run, '-p', str(p.pid), '--for', '40'], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        got = facts(r.stdout)
        if not say(r.returncode == 0 and (got.get('violations') == 0 or got.get('lost', 0) > 0) and p.poll() is None,
                   f'{label} attach {i + 1}: {got.get("events")} events, {got.get("violations")} out of turn {r.stderr.strip()[:300]}'):
            break
        with open(f'/proc/{p.pid}/maps', encoding='utf-8') as f:
            maps.append(sum('golanes-probe' in line for line in f))
    say(maps[-1:] == [1], f'{label}: one mapping is left after all, {maps[-1:]}')
    with open(f'/proc/{p.pid}/status', encoding='utf-8') as f:
        say('TracerPid:\t0' in f.read(), f'{label}: nobody traces it')
    return p


def attach(a, exe, label, times):
    p = busy(a, exe, label, times)
    p.kill()
    p.wait()
    # Once more to its own end, so that it says itself that all went well.
    p = subprocess.Popen([exe, '3s', 'all'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    p.stdout.readline()
    for _ in range(3):
        subprocess.run([a.run, '-p', str(p.pid), '--for', '100'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)
    out = p.communicate(timeout=120)[0]
    say(p.returncode == 0 and out == 'done\n', f'{label}: ends with {p.returncode} and {out!r}')


def killed(a, exe, label):
    p = subprocess.Popen([exe, '20s', 'quiet'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    p.stdout.readline()
    for after in (0.15, 0.3):
        r = subprocess.Popen([a.run, '-p', str(p.pid), '--for', '20000'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(after + 1)
        r.kill()
        r.wait()
    time.sleep(0.2)
    alive = p.poll() is None
    r = subprocess.run([a.run, '-p', str(p.pid), '--for', '300'], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
    got = facts(r.stdout)
    say(alive and r.returncode == 0 and got.get('events', 0) > 100 and p.poll() is None,
        f'{label}: another recorder takes over from a killed one: {got.get("events")} events {r.stderr.strip()[:300]}')
    p.kill()
    p.wait()


def main():
    ap = argparse.ArgumentParser()
    for name in ('run', 'toolchain', 'source', 'work'):
        ap.add_argument('--' + name, required=True)
    ap.add_argument('--all', action='store_true')
    ap.add_argument('--release', action='append')
    a = ap.parse_args()
    a.work = os.path.abspath(a.work)
    os.makedirs(a.work, exist_ok=True)
    some = False
    for release in a.release or (RELEASES if a.all else ['1.19', '1.26']):
        root = goroot(a.toolchain, release)
        if not root:
            print(f'no Go {release} here')
            continue
        some = True
        for way in WAYS if a.all else ['stripped-pie' if release == '1.19' else 'plain']:
            label = f'go{release} {way}'
            exes = {}
            for name in ('storm', 'busy'):
                exes[name] = os.path.join(a.work, f'{name}-{release}-{way}')
                build(root, os.path.join(a.source, name + '.go'), exes[name], WAYS[way])
            storm(a, exes['storm'], label)
            attach(a, exes['busy'], label, 10 if a.all else 3)
            if way == 'plain':
                killed(a, exes['busy'], label)
            for exe in exes.values():
                os.unlink(exe)
    if not some:
        skip('no Go is to be had')
    print(f'{failed} failed')
    sys.exit(1 if failed else 0)


main()
