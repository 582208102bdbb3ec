#!/usr/bin/env python3
"""A recorder is killed (SIGKILL) at any moment while it starts a program or joins one: the program goes on, says what it
says unrecorded and ends as it does, and the next recorder can join it.

    killed.py --golanes GOLANES --source DIR --work DIR [--times N] [--release R]... [--kind K]...

Half of the times a program is being started, half of them a busy one is being joined.
"""
import argparse
import ctypes
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'gobin'))
from toolchains import builders  # noqa: E402  pylint: disable=wrong-import-position

PR_SET_CHILD_SUBREAPER = 36
SECONDS = 200


def wait_for(pid):
    """How a program ended that its own parent has left to us."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        got, st = os.waitpid(pid, os.WNOHANG)
        if got:
            return os.waitstatus_to_exitcode(st)
        time.sleep(0.002)
    os.kill(pid, signal.SIGKILL)
    return f'nothing in {SECONDS} s'


def orphans():
    """Processes of ours by now, but for those that Popen looks after."""
    with open(f'/proc/{os.getpid()}/task/{os.getpid()}/children', encoding='ascii') as f:
        return [int(word) for word in f.read().split()]


def record(a, *words, **more):
    return subprocess.Popen([a.golanes, 'record', '-q', '-f', '-o', os.path.join(a.work, 'killed.lanes'), *words],
                            stderr=subprocess.DEVNULL, **more)


def recorded(a, words):
    """How long a recorder takes until the program works for itself: that is the time in which one is killed."""
    began = time.monotonic()
    p = record(a, '--', *words, stdout=subprocess.PIPE)
    p.stdout.read(1)
    took = time.monotonic() - began
    p.stdout.read()
    p.wait()
    return took


def started(a, exe):
    words = [exe, '400', '7']
    plain = subprocess.run(words, stdout=subprocess.PIPE, timeout=SECONDS)
    took = recorded(a, words)
    wrong, alone = [], 0
    for i in range(a.times // 2):
        for pid in orphans():  # what go and gcc left behind when they built the program
            wait_for(pid)
        p = record(a, '--', *words, stdout=subprocess.PIPE)
        time.sleep(took * 1.2 * i / (a.times // 2))
        p.kill()
        p.wait()
        ended = [wait_for(pid) for pid in orphans()]
        out = p.stdout.read()
        p.stdout.close()
        if p.returncode == 0 or not ended and not out:  # it was through, or had not begun
            continue
        alone += bool(ended)
        if out != plain.stdout or any(x != plain.returncode for x in ended):
            wrong.append(f'{i}: ended with {ended}, not {plain.returncode}: {out[:200]!r}')
    return wrong, f'{alone} programs went on alone, of {a.times // 2} whose recorder was killed within {took * 1e3:.0f} ms'


def joined(a, exe):
    told = os.path.join(a.work, 'last.lanes')
    p = subprocess.Popen([exe, '3000s', 'all'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    p.stdout.readline()
    took = join(a, p.pid, told)
    wrong = [] if took else ['it can\'t be joined at all']
    for i in range(a.times // 2 if took else 0):
        k = record(a, '-p', str(p.pid))
        time.sleep(took * i / (a.times // 2))
        k.kill()
        k.wait()
        if p.poll() is not None:
            wrong.append(f'{i}: the program ended with {p.returncode}')
            break
        if i % 10 == 9 and not join(a, p.pid, told):
            wrong.append(f'{i}: it can\'t be joined again')
    if not wrong:
        wrong += what_is_left(p.pid)
    out, err = p.communicate(timeout=SECONDS)
    err = ''.join(line for line in err.splitlines(True) if 'cannot set cpu profile rate' not in line)
    if p.returncode != 0 or out != 'done\n' or err:
        wrong.append(f'it ended with {p.returncode}, {out!r}, {err[:600]!r}')
    return wrong, f'{a.times // 2} recorders were killed while they joined, within {took * 1e3:.0f} ms'


def join(a, pid, told):
    """Records a little, to an end of its own; how long it took until something was in the file, 0 where nothing came."""
    began = time.monotonic()
    p = subprocess.Popen([a.golanes, 'record', '-f', '-q', '--flush', '10ms', '-o', told, '-p', str(pid)])
    while p.poll() is None and (not os.path.exists(told) or os.path.getsize(told) < 4000):
        if time.monotonic() - began > SECONDS:
            break
        time.sleep(0.002)
    took = time.monotonic() - began
    p.send_signal(signal.SIGINT)
    code = p.wait()
    good = code == 0 and subprocess.run([a.golanes, 'info', told], stdout=subprocess.DEVNULL, timeout=SECONDS).returncode == 0
    os.unlink(told)
    return took if good else 0


def what_is_left(pid):
    with open(f'/proc/{pid}/maps', encoding='ascii') as f:
        n = f.read().count('/memfd:golanes-probe')
    fds = []
    for fd in os.listdir(f'/proc/{pid}/fd'):
        try:
            fds.append(os.readlink(f'/proc/{pid}/fd/{fd}'))
        except OSError:
            pass
    left = [name for name in fds if 'golanes' in name]
    with open(f'/proc/{pid}/status', encoding='ascii') as f:
        traced = 'TracerPid:\t0\n' not in f.read()
    return [f'{n} mappings, {left} open, traced: {traced}'] if n != 1 or left or traced else []


def main():
    ap = argparse.ArgumentParser()
    for name in ('golanes', 'source', 'work'):
        ap.add_argument('--' + name, required=True)
    ap.add_argument('--times', type=int, default=40)
    ap.add_argument('--release', action='append')
    ap.add_argument('--kind', action='append')
    a = ap.parse_args()
    a.work, a.golanes = os.path.abspath(a.work), os.path.abspath(a.golanes)
    os.makedirs(a.work, exist_ok=True)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    good = True
    for builder in builders(a.release or ['1.26'], a.work):
        for kind in a.kind or ['plain']:
            for what, name in ((started, 'ends'), (joined, 'busy')):
                exe = builder.build(kind, sources=[os.path.join(os.path.abspath(a.source), name + '.go')],
                                    with_c=os.path.join(os.path.abspath(a.source), 'with_c.go'), name=name + '-')
                wrong, said = what(a, exe)
                good = good and not wrong
                print(('FAIL ' if wrong else 'ok   ') + f'go{builder.version} {kind}: {said}' + ''.join('\n     ' + w for w in wrong), flush=True)
    sys.exit(0 if good else 1)


main()
