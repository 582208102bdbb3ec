#!/usr/bin/env python3
"""golanes record --backend uprobe, as a person uses it.

    uprobe.py --golanes GOLANES --source DIR --work DIR

The program's output and exit status are its own; what is in the file; joined and let go; what is said at the start, and
without the right to use the kernel's probes.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'gobin'))
from toolchains import builders  # noqa: E402  pylint: disable=wrong-import-position
from checks import end, say, skip  # noqa: E402  pylint: disable=wrong-import-position

PROGRAM = r'''package main

import (
	"fmt"
	"os"
	"sync"
)

func main() {
	data, done := make(chan int, 3), make(chan struct{})
	var wg sync.WaitGroup
	for i := 0; i < 4; i++ {
		wg.Add(1)
		go func() {
			for range data {
			}
			wg.Done()
		}()
	}
	for i := 0; i < 1000; i++ {
		data <- i
	}
	close(data)
	wg.Wait()
	go func() {
		defer func() {
			fmt.Println("recovered:", recover())
			close(done)
		}()
		data <- 1
	}()
	<-done
	fmt.Println("sent 1000")
	os.Exit(7)
}
'''
# Waits for a line, then as many sends and receives, one after the other.
FLOOD = r'''package main

import (
	"bufio"
	"fmt"
	"os"
)

func main() {
	c := make(chan int, 1)
	fmt.Println("ready")
	bufio.NewReader(os.Stdin).ReadString('\n')
	for i := 0; i < 120000; i++ {
		c <- i
		<-c
	}
	fmt.Println("done")
}
'''


def build(go, work, name, text):
    source = os.path.join(work, name + '.go')
    if text:
        with open(source, 'w', encoding='utf-8') as f:
            f.write(text)
    exe = os.path.join(work, name)
    env = {**os.environ, 'GO111MODULE': 'off', 'CGO_ENABLED': '0', 'GOFLAGS': '', 'GOCACHE': os.path.join(work, 'cache')}
    subprocess.run([go, 'build', '-o', exe, source], check=True, env=env, cwd=work)
    return exe


def events(golanes, path):
    p = subprocess.run([golanes, 'events', '--json', path], stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in p.stdout.splitlines() if line.startswith('{')]


def launched(a, exe):
    out = os.path.join(a.work, 'run.lanes')
    plain = subprocess.run([exe], capture_output=True, text=True)
    p = subprocess.run([a.golanes, 'record', '--backend', 'uprobe', '--force', '-o', out, '--', exe], capture_output=True, text=True)
    say(p.returncode == plain.returncode == 7 and p.stdout == plain.stdout, f'ends and says what it does unrecorded: {p.returncode} {p.stdout!r}')
    first = p.stderr.splitlines()[0] if p.stderr else ''
    say(first.startswith('golanes: probes in the kernel: ') and ' us' in first, f'the cost is told at the start: {first}')
    found = events(a.golanes, out)

    def of(kind, chan=None):
        return [e['args'] for e in found if e['name'] == kind and chan in (None, e['args']['chan'])]
    # The channel that most was sent on is the program's own.
    chans = [e['chan'] for e in of('ChanSendEnd')]
    data = max(set(chans), key=chans.count) if chans else None
    ends = [e['result'] for e in of('ChanSendEnd', data)]
    say(ends.count('done') == 1000 and len(ends) == 1001, f'sends: {len(ends)}, done {ends.count("done")}, last {ends[-1:]}')
    values = [e['result'] for e in of('ChanRecvEnd', data)]
    say(values.count('done') == 1000 and values.count('closed') == 4, f'receives: {len(values)}, of values {values.count("done")}')
    say(len(of('ChanClose', data)) == 1, 'one close')
    panics = of('Panic')
    say(len(panics) == 1 and 'send on closed channel' in json.dumps(panics[0]), f'a panic: {panics}')
    say(not of('Lost'), 'nothing is lost')


def flooded(a, exe):
    """The recorder stands still while the program fills the ring: what is seen and what is lost is what there was."""
    out = os.path.join(a.work, 'flood.lanes')
    p = subprocess.Popen([a.golanes, 'record', '-q', '--backend', 'uprobe', '--force', '-o', out, '--', exe], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, text=True)
    p.stdout.readline()
    p.send_signal(signal.SIGSTOP)
    p.stdin.write('\n')
    p.stdin.flush()
    said = p.stdout.readline()
    p.send_signal(signal.SIGCONT)
    p.communicate(timeout=120)
    found = events(a.golanes, out)
    ours = sum(e['name'].startswith(('ChanSend', 'ChanRecv')) for e in found)
    lost = sum(e['args']['events'] for e in found if e['name'] == 'Lost')
    say(p.returncode == 0 and said == 'done\n' and lost > 1000 and 480000 <= ours + lost <= 482000,
        f'{ours} events of 480000 and {lost} lost: {ours + lost - 480000} of the runtime')


def joined(a, exe):
    out = os.path.join(a.work, 'join.lanes')
    p = subprocess.Popen([exe, '60s', 'quiet'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    p.stdout.readline()
    for turn in range(2):
        r = subprocess.Popen([a.golanes, 'record', '--backend', 'uprobe', '--force', '-o', out, '--pid', str(p.pid)], stderr=subprocess.PIPE, text=True)
        r.stderr.readline()
        time.sleep(1)
        r.send_signal(signal.SIGINT)
        said = r.communicate(timeout=60)[1]
        kinds = {e['name'] for e in events(a.golanes, out)}
        say(p.poll() is None and {'GoStatus', 'GoStart', 'GoBlock', 'ChanSendBegin'} <= kinds, f'joined and let go, {turn + 1}: {said.strip()[-80:]}')
    p.kill()
    p.wait()


def without_rights(a, exe):
    out = os.path.join(a.work, 'none.lanes')
    drop = ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--reuid=65534', '--regid=65534', '--clear-groups']
    if subprocess.run([*drop, 'true'], capture_output=True).returncode != 0:
        print('SKIP: rights can not be dropped here')
        return
    p = subprocess.run([*drop, a.golanes, 'record', '--backend', 'uprobe', '-o', out, '--', exe], capture_output=True, text=True)
    say(p.returncode == 5 and p.stdout == '' and p.stderr.count('\n') == 1 and 'CAP_BPF and CAP_PERFMON' in p.stderr and not os.path.exists(out),
        f'without the right: {p.returncode} {p.stderr!r}')


def main():
    ap = argparse.ArgumentParser()
    for name in ('golanes', 'source', 'work'):
        ap.add_argument('--' + name, required=True)
    a = ap.parse_args()
    os.makedirs(a.work, exist_ok=True)
    a.work = os.path.abspath(a.work)
    p = subprocess.run([a.golanes, 'record', '--backend', 'uprobe', '-o', os.path.join(a.work, 'x.lanes'), '--', '/bin/true'], capture_output=True, text=True)
    if p.returncode == 5:
        skip(p.stderr.strip())
    say(p.returncode == 3, f'no Go program: {p.returncode} {p.stderr.strip()}')
    go = os.path.join(next(builders(['1.26'], a.work)).root, 'bin', 'go')
    exe = build(go, a.work, 'counted', PROGRAM)
    with open(os.path.join(a.source, 'busy.go'), encoding='utf-8') as f:
        busy = build(go, a.work, 'busy', f.read())
    launched(a, exe)
    flooded(a, build(go, a.work, 'flood', FLOOD))
    joined(a, busy)
    without_rights(a, exe)
    end()


main()
