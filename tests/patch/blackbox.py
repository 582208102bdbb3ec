#!/usr/bin/env python3
"""What a program did last is in the trace, however it ended; for a panic the message, the goroutine and the stack too.

    blackbox.py --golanes PROGRAM --source DIR --work DIR [--release R]
"""
import argparse
import json
import os
import resource
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'gobin'))
from toolchains import builders  # noqa: E402  pylint: disable=wrong-import-position
from checks import end, say  # noqa: E402  pylint: disable=wrong-import-position

SENDS = 1000
DEREFERENCE = 'invalid memory address or nil pointer dereference'
# Way: exit status (negative: a signal), what the message holds, the function that is in the stack.
WAYS = {
    'nilmap': (2, 'assignment to entry in nil map', 'main.nilMap'),
    'nilpointer': (2, DEREFERENCE, 'main.nilPointer'),
    'range': (2, 'of type runtime.boundsError', 'main.outOfRange'),
    'text': (2, 'the books do not balance', 'main.ownText'),
    'error': (2, 'the account is closed', 'main.ownError'),
    'type': (2, 'of type main.coded', 'main.ownType'),
    'goroutine': (2, 'the books do not balance', 'main.ownText'),
    'asleep': (2, 'fatal error: all goroutines are asleep - deadlock!', None),
    'mapwrites': (2, 'fatal error: concurrent map writes', 'main.mapWrites.func1'),
    'stack': (2, 'fatal error: stack overflow', None),
    'kill': (-signal.SIGKILL, None, None),
}


def run(words, **more):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=100, **more)


def events(a, path):
    p = run([a.golanes, 'events', '--json', '--stacks', path])
    return [json.loads(line) for line in p.stdout.splitlines()] if p.returncode == 0 else []


def sends_of(found):
    """Sends on the channel of work(), and that nothing was lost."""
    per = {}
    for e in found:
        if e['name'] == 'ChanSendBegin':
            per[e['args']['chan']] = per.get(e['args']['chan'], 0) + 1
    return max(per.values(), default=0), sum(e['args']['count'] for e in found if e['name'] == 'Lost' and 'count' in e['args'])


def functions(event):
    return [f['func'] for f in event.get('stack', [])]


def check(a, label, path, message, function):
    found = events(a, path)
    sends, lost = sends_of(found)
    ok = sends == SENDS or lost > 0
    what = f'{sends} sends, {lost} lost'
    panics = [e for e in found if e['name'] == 'Panic']
    if message is None:
        ok = ok and not panics
    else:
        ok = ok and any(message in e['args']['message'] for e in panics)
        p = next((e for e in panics if message in e['args']['message']), {})
        what += f', {p.get("args")} in goroutine {p.get("g")} at {functions(p)[:4]}'
        if function:
            ok = ok and function in ' '.join(functions(p)) and p.get('g')
    say(ok, f'{label}: {what}')


def launched(a, exe):
    for way, (code, message, function) in WAYS.items():
        path = os.path.join(a.work, way + '.lanes')
        p = run([a.golanes, 'record', '-q', '--force', '-o', path, '--', exe, way])
        if say(p.returncode == code, f'{way}: ends with {p.returncode} as it does by itself {p.stderr[:200] if p.returncode != code else ""}'):
            check(a, way, path, message, function)
        os.unlink(path)


def joined(a, exe):
    """The same of a program that ran already; it is a child of ours, so it ends only for us."""
    for way in ('text', 'mapwrites', 'kill'):
        code, message, function = WAYS[way]
        path = os.path.join(a.work, way + '-joined.lanes')
        target = subprocess.Popen([exe, way, 'wait'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        target.stdout.readline()
        recorder = subprocess.Popen([a.golanes, 'record', '-q', '--force', '-o', path, '--pid', str(target.pid)],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wait_for_recorder(recorder, target.pid)
        target.communicate(b'\n', timeout=100)
        err = recorder.communicate(timeout=100)[1]
        say(target.returncode == code and recorder.returncode == 0, f'{way}, joined: ends with {target.returncode}; {recorder.returncode} {err}')
        check(a, way + ', joined', path, message, function)
        os.unlink(path)


def wait_for_recorder(recorder, pid):
    """Until the program's text is patched: the recorder traces it no more, and its memory is there."""
    while recorder.poll() is None:
        with open(f'/proc/{pid}/status', encoding='utf-8') as f:
            free = 'TracerPid:\t0' in f.read()
        with open(f'/proc/{pid}/maps', encoding='utf-8') as f:
            there = f.read().count('golanes-probe')
        if free and there and patched(pid):
            return


def patched(pid):
    """The header of the shared memory says so: its state is 2."""
    with open(f'/proc/{pid}/maps', encoding='utf-8') as f:
        at = next(int(line.split('-')[0], 16) for line in f if 'golanes-probe' in line)
    with open(f'/proc/{pid}/mem', 'rb') as f:
        f.seek(at)
        return int.from_bytes(f.read(16)[12:16], 'little') == 1


def limit_of_data(a, exe):
    path = os.path.join(a.work, 'limit.lanes')

    def limit():
        resource.setrlimit(resource.RLIMIT_DATA, (512 << 20, 512 << 20))
    p = run([a.golanes, 'record', '-q', '--force', '-o', path, '--', exe, 'hoard'], preexec_fn=limit)
    say(p.returncode == 2, f'limit of data: ends with {p.returncode} {p.stderr[:200]}')
    check(a, 'limit of data', path, 'out of memory', None)


def out_of_memory(a, exe):
    """By a limit of addresses, which Go tells itself; and by a group's limit of memory, where the kernel kills."""
    with open(a.golanes, 'rb') as f:
        sanitized = b'__asan_init' in f.read()
    if sanitized:
        print('     a limit of data is not tried: the address sanitizer needs more than any')
    else:
        limit_of_data(a, exe)
    group = memory_group()
    if not group:
        print('     no group with a limit of memory can be made here: the kernel\'s kill is not tried')
        return
    try:
        path = os.path.join(a.work, 'oom.lanes')
        words = ['sh', '-c', f'echo $$ > {group}/cgroup.procs && exec "$@"', 'sh', exe, 'hoard']
        p = run(words)
        say(p.returncode == -signal.SIGKILL, f'the kernel kills it unrecorded: {p.returncode}')
        target = subprocess.Popen([*words, 'wait'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        target.stdout.readline()
        recorder = subprocess.Popen([a.golanes, 'record', '-q', '--force', '-o', path, '--pid', str(target.pid)],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wait_for_recorder(recorder, target.pid)
        target.communicate(b'\n', timeout=100)
        err = recorder.communicate(timeout=100)[1]
        say(target.returncode == -signal.SIGKILL and recorder.returncode == 0, f'out of memory: {target.returncode}, {recorder.returncode} {err}')
        check(a, 'out of memory', path, None, None)
    finally:
        os.rmdir(group)


def memory_group():
    for parent, file, more in (('/sys/fs/cgroup', 'memory.max', 'memory.swap.max'),
                               ('/sys/fs/cgroup/memory', 'memory.limit_in_bytes', 'memory.memsw.limit_in_bytes')):
        group = os.path.join(parent, f'golanes-test-{os.getpid()}')
        if not os.path.exists(os.path.join(parent, 'cgroup.procs')):
            continue
        try:
            os.mkdir(group)
        except OSError:
            continue
        try:
            with open(os.path.join(group, file), 'w', encoding='ascii') as f:
                f.write(str(200 << 20))
            if os.path.exists(os.path.join(group, more)):
                with open(os.path.join(group, more), 'w', encoding='ascii') as f:
                    f.write(str(200 << 20) if 'memsw' in more else '0')
            return group
        except OSError:
            os.rmdir(group)
    return None


def flight(a, exe):
    def files(folder):
        return sorted(os.path.join(folder, n) for n in os.listdir(folder) if n.endswith('.lanes'))

    def record(name, words, way):
        folder = os.path.join(a.work, name)
        os.makedirs(folder, exist_ok=True)
        for path in files(folder):
            os.unlink(path)
        p = run([a.golanes, 'record', '--flight', '60s', *words, '-o', os.path.join(folder, 'run.lanes'), '--', exe, way])
        return p, files(folder)

    p, written = record('crash', [], 'nilmap')
    say(p.returncode == 2 and len(written) == 1 and 'the program ended with exit status 2' in p.stderr, f'flight: {p.returncode}, {written}')
    check(a, 'flight', written[0], WAYS['nilmap'][1], WAYS['nilmap'][2])
    p, written = record('kill', [], 'kill')
    say(p.returncode == -signal.SIGKILL and len(written) == 1 and 'died of SIGKILL' in p.stderr, f'flight: {p.returncode}, {written}')
    check(a, 'flight', written[0], None, None)
    for trigger, name in (('panic', 'Panic'), ('event=ChanClose', 'ChanClose'), ('stw>1ns', 'GCSTWEnd')):
        p, written = record('trigger', ['--trigger', trigger, '--cooldown', '1ns', '--limit', '2'], 'recovered')
        because = p.stderr.count(f'written because of: {trigger}')
        found = events(a, written[0]) if written else []
        say(p.returncode == 0 and because in (1, 2) and len(written) == because + 1 and any(e['name'] == name for e in found),
            f'trigger {trigger}: {because} files because of it, {len(written)} in all, {len(found)} events in the first')


def main():
    ap = argparse.ArgumentParser()
    for name in ('golanes', 'source', 'work'):
        ap.add_argument('--' + name, required=True)
    ap.add_argument('--release', default='1.26')
    a = ap.parse_args()
    a.work = os.path.abspath(a.work)
    os.makedirs(a.work, exist_ok=True)
    exe = next(builders([a.release], a.work)).build('plain', sources=[os.path.join(os.path.abspath(a.source), 'crash.go')], name='crash-')
    launched(a, exe)
    joined(a, exe)
    out_of_memory(a, exe)
    flight(a, exe)
    end()


main()
