#!/usr/bin/env python3
"""What can't be recorded is refused with one sentence and a documented exit code, and goes on untouched.

    refusals.py --golanes PROGRAM --source DIR --work DIR [--release R]
"""
import argparse
import ctypes
import json
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'gobin'))
from toolchains import builders  # noqa: E402  pylint: disable=wrong-import-position
from checks import end, say  # noqa: E402  pylint: disable=wrong-import-position

NOBODY = 65534
OPENAT, READ, KILL, ERRNO, LOG = '257', '0', '0x80000000', '0x00050001', '0x7ffc0000'
INPUT = 3


class Target:
    """A process that is to come to no harm: it lives, nothing is mapped into it, nobody traces it, and it ends with 0."""

    def __init__(self, words, ready=True, **more):
        self.p = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **more)
        if ready:
            self.p.stdout.readline()
        self.pid = self.p.pid

    def untouched(self):
        with open(f'/proc/{self.pid}/maps', encoding='utf-8') as f:
            clean = 'golanes' not in f.read()
        return self.p.poll() is None and clean

    def ends(self):
        out = self.p.communicate(b'\n', timeout=60)[0]
        return self.p.returncode == 0 and out.endswith(b'done\n')


def record(a, words, **more):
    p = subprocess.run([a.golanes, 'record', '-q', '--force', '-o', os.path.join(a.tmp, 'refused.lanes'), *words], stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, **more)
    return p.returncode, p.stderr


def recorded(a, path):
    """Some events have reached the file."""
    p = subprocess.run([a.golanes, 'info', '--json', path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return p.returncode == 0 and json.loads(p.stdout)['events'] > 1


def refused(a, what, words, says, code=INPUT, target=None, **more):
    got, err = record(a, words, **more)
    lines = err.splitlines()
    ok = got == code and len(lines) == 1 and lines[0].startswith('golanes: ') and says in lines[0]
    ok = ok and not os.path.exists(os.path.join(a.tmp, 'refused.lanes')) and (not target or target.untouched())
    say(ok, f'{what}: {got}, {err.strip()}')


def another_tracer(a, build):
    target = Target([build('sandbox'), READ, LOG])
    libc = ctypes.CDLL(None, use_errno=True)
    child = os.fork()
    if child == 0:
        libc.ptrace(0x4206, target.pid, None, None)  # PTRACE_SEIZE
        time.sleep(60)
        os._exit(0)
    for _ in range(1000):
        with open(f'/proc/{target.pid}/status', encoding='utf-8') as f:
            if f'TracerPid:\t{child}' in f.read():
                break
        time.sleep(0.01)
    refused(a, 'another tracer', ['-p', str(target.pid)], f'is traced by process {child} already', target=target)
    os.kill(child, 9)
    os.waitpid(child, 0)
    say(target.ends(), 'another tracer: the program ends by itself')


def filters(a, build):
    exe = build('sandbox')
    for action, name in ((KILL, 'that kills'), (ERRNO, 'that says no')):
        target = Target([exe, OPENAT, action])
        refused(a, f'a filter {name}', ['-p', str(target.pid)], 'does not allow openat', target=target)
        say(target.ends(), f'a filter {name}: the program ends by itself')
    # Without the right to look at it, nothing is done either.
    target = Target([exe, READ, LOG])
    words = ['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-all', a.golanes]
    if shutil.which('setpriv') and subprocess.run([*words[:-1], 'true'], stderr=subprocess.DEVNULL).returncode == 0:
        p = subprocess.run([*words, 'record', '-q', '-o', os.path.join(a.tmp, 'x.lanes'), '-p', str(target.pid)], stderr=subprocess.PIPE,
                           text=True, timeout=60)
        say(p.returncode == INPUT and "can't be looked up" in p.stderr and target.untouched(), f'a filter that is unseen: {p.returncode}, {p.stderr.strip()}')
    else:
        print('     no setpriv: the filter that may not be looked at is not tried')
    # One that allows it all is no obstacle.
    out = os.path.join(a.tmp, 'y.lanes')
    p = subprocess.Popen([a.golanes, 'record', '-q', '-o', out, '-p', str(target.pid)], stderr=subprocess.PIPE)
    end = time.monotonic() + 60
    while p.poll() is None and not recorded(a, out) and time.monotonic() < end:
        time.sleep(0.05)
    say(target.ends() and p.wait(60) == 0, f'a filter that allows it: recorded, {p.stderr.read()}')
    # A program that is started is patched before it has its filter.
    p = subprocess.run([a.golanes, 'record', '-q', '--force', '-o', os.path.join(a.tmp, 'y.lanes'), '--', exe, OPENAT, KILL], input=b'\n',
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    say(p.returncode == 0 and p.stdout == b'ready\ndone\n' and not p.stderr, f'started before its filter: {p.returncode} {p.stderr}')


def other_kinds(a, build, builder):
    target = Target([sys.executable, '-c', 'print("ready", flush=True); input(); print("done")'])
    refused(a, 'not Go', ['-p', str(target.pid)], 'it must be linked with golanes', target=target)
    say(target.ends(), 'not Go: it ends by itself')
    refused(a, 'no such process', ['-p', '999999999'], 'there is no process 999999999')
    out = os.path.join(a.work, 'sandbox-386')
    p = builder.go('build', '-o', out, os.path.join(a.source, 'busy.go'), GOARCH='386')
    if p.returncode == 0:
        try:
            target = Target([out, '60s', 'quiet'])
        except OSError:
            print('     no 32-bit programs run here: joining one is not tried')
        else:
            refused(a, 'another architecture', ['-p', str(target.pid)], 'a program for 386', target=target)
            target.p.kill()
            target.p.communicate()
    p = builder.go('build', '-o', out, os.path.join(a.source, 'busy.go'), GOARCH='arm64')
    if p.returncode == 0:
        refused(a, 'another architecture, to be started', ['--', out, '1s'], 'a program for arm64')
    library = os.path.join(a.work, 'lib.so')
    if shutil.which('gcc'):
        p = builder.go('build', '-buildmode=c-shared', '-o', library, os.path.join(a.source, 'callbacks.go'), os.path.join(a.source, 'truth.go'),
                       CGO_ENABLED='1')
        if p.returncode == 0:
            refused(a, 'a shared library', ['--', library], 'built with -buildmode=c-shared')
    exe = build('sandbox')
    garbled = os.path.join(a.work, 'garbled')
    with open(exe, 'rb') as f:
        b = f.read()
    with open(garbled, 'wb') as f:
        f.write(b.replace(b'\xf1\xff\xff\xff\x00\x00\x01\x08', b'\x11\x22\x33\x44\x00\x00\x01\x08'))
    os.chmod(garbled, 0o755)
    refused(a, 'garbled', ['--', garbled, READ, LOG], "without Go's function table")
    race = os.path.join(a.work, 'race')
    p = builder.go('build', '-race', '-o', race, os.path.join(a.source, 'sandbox.go'), CGO_ENABLED='1')
    if p.returncode == 0:
        refused(a, '-race', ['--', race, READ, LOG], 'it was built with a sanitizer')


def other_users(a, build):
    """We are root here: golanes runs as nobody, who has no right to anything of ours."""
    if os.geteuid() != 0:
        print('     not root: nothing of other users is tried')
        return
    exe = build('sandbox')
    program = os.path.join(a.tmp, 'golanes')
    shutil.copy(a.golanes, program)
    os.chmod(program, 0o755)
    as_nobody = argparse.Namespace(golanes=program, tmp=a.tmp)
    more = {'user': NOBODY, 'group': NOBODY, 'extra_groups': [], 'cwd': a.tmp}
    if subprocess.run([program, '--version'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more).returncode != 0:
        print('     nobody can\'t run golanes here')
        return
    target = Target([exe, READ, LOG])
    refused(as_nobody, 'no right to trace', ['-p', str(target.pid)], 'belongs to user root and golanes runs as nobody', target=target, **more)
    say(target.ends(), 'no right to trace: the program ends by itself')
    suid = os.path.join(a.tmp, 'suid')
    shutil.copy(exe, suid)
    os.chmod(suid, 0o4755)
    refused(as_nobody, 'setuid', ['--', suid, READ, LOG], "takes another user's rights when it starts", **more)
    if not os.path.exists('/proc/sys/kernel/yama/ptrace_scope'):
        print('     no Yama in this kernel: its refusal is not tried')


def main():
    ap = argparse.ArgumentParser()
    for name in ('golanes', 'source', 'work'):
        ap.add_argument('--' + name, required=True)
    ap.add_argument('--release', default='1.26')
    a = ap.parse_args()
    a.work, a.source, a.golanes = os.path.abspath(a.work), os.path.abspath(a.source), os.path.abspath(a.golanes)
    os.makedirs(a.work, exist_ok=True)
    a.tmp = os.path.join('/tmp', f'golanes-refusals-{os.getpid()}')  # where another user comes in
    os.mkdir(a.tmp)
    os.chmod(a.tmp, 0o777)
    builder = next(builders([a.release], a.work))

    def build(name):
        return builder.build('plain', sources=[os.path.join(a.source, name + '.go')], name=name + '-')
    try:
        another_tracer(a, build)
        filters(a, build)
        other_kinds(a, build, builder)
        other_users(a, build)
    finally:
        shutil.rmtree(a.tmp, ignore_errors=True)
    end()


main()
