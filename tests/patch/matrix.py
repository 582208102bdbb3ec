#!/usr/bin/env python3
"""Records made Go programs by the patch backend (or --backend uprobe) and holds what came out against what they say.

    matrix.py --run PATCH_RUN --source DIR --work DIR [--backend uprobe] [--all] [--release R]... [--kind K]... [--times N] [--attach N]

For each release and kind of build: a storm of goroutines, coroutines (since 1.23), and, with cgo, calls back from C, each
launched and joined: counts equal the program's own, no state is out of turn, nothing is lost, the output is that of an
unrecorded run. Then a busy program is joined and let go again and again (--attach).
Without --all: one kind of each release, so that each release and each kind comes up. --times: all of it so often.
"""
import argparse
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'gobin'))
from toolchains import KINDS, VERSIONS, builders  # noqa: E402  pylint: disable=wrong-import-position
from checks import end, say, skip  # noqa: E402  pylint: disable=wrong-import-position

# Program: arguments, the first release that has what it needs, kinds of build.
PROGRAMS = {
    'storm': (['3000', '24000'], 19, KINDS),
    'coro': (['4000'], 23, KINDS),
    'callbacks': (['4000', '6'], 19, ['cgo', 'cgopie']),
}
TRIES = 5  # a busy machine may lose events; then nothing can be said of counts


def facts(path):
    out = {}
    if os.path.exists(path):
        with open(path, encoding='utf-8') as f:
            for line in f:
                name, count = line.rsplit('\t' if '\t' in line else ' ', 1)
                if count.strip().isdigit():
                    out[name] = int(count)
    return out


def unrecorded(words):
    p = subprocess.run(words, input=b'\n', stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
    return p.returncode, p.stdout, p.stderr


def launched(a, words, told):
    p = subprocess.run([*a.run, '--ring', '16', '--facts', told, '--', *words], input=b'\n', stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=300)
    lines = p.stderr.splitlines(keepends=True)
    return p.returncode or facts(told).get('exit', 99), p.stdout, b''.join(x for x in lines if x != b'recording\n')


def joined(a, words, told):
    target = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    first = target.stdout.readline()
    recorder = subprocess.Popen([*a.run, '--ring', '16', '--facts', told, '-p', str(target.pid)], stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE)
    said = recorder.stderr.readline()
    out, err = target.communicate(b'\n', timeout=300)
    said = b'' if said == b'recording\n' else said
    said += recorder.communicate(timeout=300)[1]
    return recorder.returncode or target.returncode, first + out, err + said


def counts(name, truth, got, way):
    """(what, the program's, ours, how many of the runtime's own may be among ours)."""
    launch = way == 'launched'
    rows = [('ChanClose', truth.get('closes'), got.get('main ChanClose')),
            ('ChanSendBegin', truth.get('sends'), got.get('main ChanSendBegin')),
            ('ChanRecvBegin', truth.get('recvs'), got.get('main ChanRecvBegin')),
            ('ChanMake', truth.get('made'), got.get('main ChanMake')),
            ('ChanSelectBegin', truth.get('selects'), got.get('ChanSelectBegin')),
            ('receives of timers', truth.get('timers'), got.get('time ChanRecvBegin')),
            ('goroutines', truth.get('created'), got.get('goroutines')),
            ('sleeps', truth.get('sleeps'), got.get('block sleep')),
            ('switches of coroutines', truth.get('switches'), got.get('switches'))]
    # The first goroutine, which runs main, is the runtime's doing.
    rows = [(what, said, seen or 0, int(launch and what == 'goroutines')) for what, said, seen in rows if said is not None]
    # What happened before the program's own profile began: main waits for the runtime's helpers to be there.
    for kind, reason, own in [('send', 'chan send', 0), ('recv', 'chan receive', 8 * launch), ('select', 'select', 0),
                              ('cond', 'sync.Cond.Wait', 0)]:
        if name != 'callbacks':
            rows.append((f'blocked: {reason}', truth.get(f'waits-{kind}', 0), got.get(f'block {reason}', 0), own))
    # Collections before the program began, of which there is none but that of a slow start.
    rows.append(('GCStart', truth.get('gcs'), got.get('GCStart', 0), launch))
    return rows


def check_counts(label, name, truth, got, way):
    wrong = [f'{what}: {seen}, the program says {said}' for what, said, seen, own in counts(name, truth, got, way)
             if said is None or not said <= seen <= said + own]
    for begin, end, open_ in [('ChanSendBegin', 'ChanSendEnd', 0), ('ChanRecvBegin', 'ChanRecvEnd', 3),
                              ('ChanSelectBegin', 'ChanSelectEnd', 0), ('GCSTWBegin', 'GCSTWEnd', 0)]:
        if not 0 <= got.get(begin, 0) - got.get(end, 0) <= open_:
            wrong.append(f'{got.get(begin)} {begin}, {got.get(end)} {end}')
    # The world is stopped twice in a cycle; the last one may not have ended with the program.
    stops, cycles = got.get('gc-stops', 0), got.get('GCStart', 0)
    if not 2 * cycles - 1 <= stops <= 2 * cycles + 1 or got.get('nameless-stops'):
        wrong.append(f'{stops} stops of {cycles} collections say that they are, {got.get("nameless-stops")} say nothing')
    if name == 'callbacks':
        # Each call to C is one, and each call back ends one for the time. The runtime has some of its own.
        said = truth.get('calls', 0) + truth.get('backs', 0)
        if not said <= got.get('GoSyscallBegin', 0) <= said + said // 10 + 1000:
            wrong.append(f'{got.get("GoSyscallBegin")} calls, the program says {said}')
        if got.get('callbacks', 0) < truth.get('threads', 1):
            wrong.append(f'{got.get("callbacks")} goroutines for threads of C')
    say(not wrong, f'{label}: {got.get("events")} events, counts are the program\'s own' + ''.join('\n       ' + w for w in wrong))


def program(a, builder, kind, name, recorded, way):
    arguments, first, kinds = PROGRAMS[name]
    if builder.minor < first or kind not in kinds:
        return
    label = f'go{builder.version} {kind} {name} {way}'
    sources = [os.path.join(a.source, name + '.go'), os.path.join(a.source, 'truth.go')]
    exe = builder.build(kind, sources=sources, with_c=os.path.join(a.source, 'with_c.go'), name=name + '-')
    told, own = exe + '.facts', exe + '.truth'
    words = [exe, *arguments, own]
    plain = unrecorded(words)
    for _ in range(TRIES):
        for path in (told, own):
            if os.path.exists(path):
                os.unlink(path)
        seen = recorded(a, words, told)
        got = facts(told)
        if got.get('lost') == 0 or seen[0] != 0:
            break
    if not say(seen == plain and plain[0] == 0, f'{label}: ends, and says, what it does unrecorded' +
               ('' if seen == plain else f'\n       {seen}\n       {plain}')):
        return
    say(got.get('violations') == 0 and got.get('lost') == 0 and got.get('steps-back') == 0 and got.get('damaged', 0) == 0,
        f'{label}: states in turn, nothing lost ({got.get("violations")}, {got.get("lost")}, {got.get("steps-back")})')
    check_counts(label, name, facts(own), got, way)


def attach(a, exe, label, times):
    """Joined and let go while it works at all that could be disturbed; then to its own end."""
    p = subprocess.Popen([exe, '300s' if times > 20 else '120s', 'all'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    p.stdout.readline()
    told = exe + '.facts'
    events, wrong = 0, []
    for i in range(times):
        r = subprocess.run([*a.run, '--facts', told, '-p', str(p.pid), '--for', '40'], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                           text=True, timeout=120)
        got = facts(told)
        events += got.get('events', 0)
        if r.returncode != 0 or p.poll() is not None or (got.get('violations') != 0 and got.get('lost', 0) == 0):
            wrong.append(f'{i + 1}: {r.returncode}, {p.poll()}, {got.get("violations")} out of turn: {r.stderr.strip()[:300]}')
            break
    say(not wrong, f'{label} joined {times} times: {events} events {wrong}')
    with open(f'/proc/{p.pid}/maps', encoding='utf-8') as f:
        n = sum('golanes-probe' in line for line in f)
    with open(f'/proc/{p.pid}/status', encoding='utf-8') as f:
        say(n == (a.backend == 'patch') and 'TracerPid:\t0' in f.read(), f'{label}: of our mappings {n} left, and no tracer')
    p.kill()
    p.wait()
    # Once more to its own end, so that it says itself that all went well.
    p = subprocess.Popen([exe, '3s', 'all'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    p.stdout.readline()
    for _ in range(3):
        subprocess.run([*a.run, '-p', str(p.pid), '--for', '100'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)
    out = p.communicate(timeout=120)[0]
    say(p.returncode == 0 and out == 'done\n', f'{label}: ends with {p.returncode} and {out!r}')


def killed(a, exe, label):
    told = exe + '.facts'
    p = subprocess.Popen([exe, '60s', 'quiet'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    p.stdout.readline()
    for after in (0.05, 0.2):
        r = subprocess.Popen([*a.run, '-p', str(p.pid), '--for', '20000'], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        r.stderr.readline()
        time.sleep(after)
        r.kill()
        r.communicate()
    alive = p.poll() is None
    r = subprocess.run([*a.run, '--facts', told, '-p', str(p.pid), '--for', '300'], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                       text=True, timeout=120)
    got = facts(told)
    say(alive and r.returncode == 0 and got.get('events', 0) > 100 and p.poll() is None,
        f'{label}: another recorder takes over from a killed one: {got.get("events")} events {r.stderr.strip()[:300]}')
    p.kill()
    p.wait()


def combination(a, builder, kind):
    release = builder.version
    if kind == 'pgo' and builder.minor < 21:
        return
    for name in PROGRAMS:
        program(a, builder, kind, name, launched, 'launched')
        program(a, builder, kind, name, joined, 'joined')
    if a.attach:
        exe = builder.build(kind, sources=[os.path.join(a.source, 'busy.go')], with_c=os.path.join(a.source, 'with_c.go'),
                            name='busy-')
        attach(a, exe, f'go{release} {kind} busy', a.attach)
        if kind == 'plain':
            killed(a, exe, f'go{release} {kind} busy')


def main():
    ap = argparse.ArgumentParser()
    for name in ('run', 'source', 'work'):
        ap.add_argument('--' + name, required=True)
    ap.add_argument('--backend', choices=['patch', 'uprobe'], default='patch')
    ap.add_argument('--all', action='store_true')
    ap.add_argument('--release', action='append')
    ap.add_argument('--kind', action='append')
    ap.add_argument('--times', type=int, default=1)
    ap.add_argument('--attach', type=int, default=4)
    a = ap.parse_args()
    a.work, a.source = os.path.abspath(a.work), os.path.abspath(a.source)
    os.makedirs(a.work, exist_ok=True)
    a.run = [a.run, '--backend', a.backend]
    p = subprocess.run([*a.run, '-p', '1', '--for', '1'], capture_output=True, text=True)
    if p.returncode == 77:
        skip(p.stderr.strip())
    if a.backend == 'uprobe':  # each event costs a trap
        PROGRAMS.update({name: ([str(int(n) // 10) if int(n) > 99 else n for n in words], first, kinds)
                         for name, (words, first, kinds) in PROGRAMS.items()})
    for builder in builders(a.release or VERSIONS, a.work):
        at = VERSIONS.index(builder.version)
        for k, kind in enumerate(KINDS):
            if kind in (a.kind or KINDS) and (a.all or a.kind or (k - at) % len(KINDS) == 0):
                for _ in range(a.times):
                    combination(a, builder, kind)
    end()


main()
