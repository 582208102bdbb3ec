"""Traces that show most of what the answers can hold, and the ways in which each command is asked."""
import os
import subprocess

from harness import CUT, V1, V2, unpacked
from reports_test import Anomalies, Check, Path, Straddles, Stuck
from written import DONE, LANES_OF, PANIC, Trace

COMMANDS = {
    'straddles': (['--cycle', '--kind', 'send,receive,select,mutex'], []),
    'pauses': ([], ['--per-p', '--include', 'stw,sweep,all-stw'], ['--percentiles', '--include', 'assist']),
    'stuck': ([], ['--baseline', 'FILE']),
    'channels': ([],),
    'anomalies': ([],),
    'goroutines': ([], ['--group', '^none$']),
    'latency': ([],),
    'tasks': ([], ['--task', '1'], ['--task', '99']),
    'regions': ([],),
    'path': ([], ['--goroutine', '999']),
    'diff': (['FILE'], [V2], [V1]),
    'check': (['--assert', 'p99(stw) < 1ns', '--assert', 'straddles == 0', '--assert', 'p99(region("none")) < 1ms'],),
}


def channels():
    t = Anomalies.base()
    t.ev(100, 'ChanMake', 1, 0xc000, 2, 'int', at='main.main:7')
    t.send(200, 210, 7, 0xc000, cap=2, after=1)
    t.recv(300, 330, 1, 0xc000, cap=2, at='runtime.chanrecv2:1<main.loop:30')
    t.ev(400, 'ChanClose', 1, 0xc000, 0, DONE, at='main.main:9')
    t.send(500, 510, 7, 0xc000, cap=2, result=PANIC)
    t.ev(600, 'ChanRecvBegin', 7, 0, 0, 0, at='main.f:9')
    return t


def leak():
    t = Trace()
    t.running(1, at='main.main:1')
    for i in range(50):
        t.go(2000 * i + 10, 1, 10 + i, 'main.leak', start=2000 * i + 20)
        t.block(2000 * i + 30, 10 + i, 'chan send', 'runtime.chansend1:1<main.leak:40')
    t.ev(200000, 'UserLog', 1, 0, 'c', 'm')
    return t


def files(folder):
    """Paths: Go's own traces, damaged ones, recorded ones."""
    made = [V1, V2, CUT]
    for name in ('annot-go1.23', 'msort-go1.22', 'mutex-go1.26', 'pipeline-p1-go1.24'):
        made.append(os.path.join(folder, name + '.trace'))
        with open(made[-1], 'wb') as f:
            f.write(unpacked('traces/' + name))
    recorded = (Straddles().imported(), Stuck.two(lambda t: None), Path.trace(), Check.trace(), channels(), leak(), Trace())
    for i, trace in enumerate(recorded):
        made.append(os.path.join(folder, f'{i}.lanes'))
        subprocess.run([LANES_OF, made[-1]], input='\n'.join(trace.lines).encode(), check=True)
    return made
