"""Traces written down line by line, for the tests of the commands that answer one question."""
import json
import os
import subprocess

from harness import Case

LANES_OF = os.environ['LANES_OF']
DONE, WOULD_BLOCK, CLOSED, PANIC = 0, 1, 2, 3
NOT_EXIST, RUNNABLE, RUNNING, SYSCALL, WAITING = 1, 2, 3, 4, 5
UNDETERMINED = 0
DEFAULT, SEND, RECV = 0, 1, 2


class Trace:
    """Events in order. ev(time, name, g, *args, at=stack, p=P): args as the event table has them."""

    def __init__(self):
        self.lines = []
        self.ev(0, 'ClockSync', 0, 1, p=None)
        self.ev(0, 'ProcsChange', 0, 4, p=None)

    def ev(self, time, name, g, *args, at='', p=0):
        fields = [str(time), name, str(g), '-' if p is None else str(p), *map(str, args)]
        if at:
            fields.append('@' + at)
        self.lines.append('\t'.join(fields))

    def running(self, g, p=0, at=''):
        """A goroutine that ran when the trace started."""
        self.ev(0, 'GoStatus', 0, g, UNDETERMINED, RUNNING, '-', at=at, p=p)

    def go(self, time, by, g, func, start=None, p=0, at='main.main:5'):
        """by makes g; it runs from `start` on."""
        self.ev(time, 'GoCreate', by, g, RUNNABLE, f'{func}:1', at=at)
        if start is not None:
            self.ev(start, 'GoStart', 0, g, p=p)

    def block(self, time, g, reason, at, p=0):
        self.ev(time, 'GoBlock', g, reason, at=at, p=p)

    def wake(self, time, by, g, start, at='', p=0):
        self.ev(time, 'GoUnpark', by, g, at=at)
        self.ev(start, 'GoStart', 0, g, p=p)

    def stw(self, begin, end, by, reason='GC mark termination'):
        self.ev(begin, 'GCSTWBegin', by, reason)
        self.ev(end, 'GCSTWEnd', by, reason)

    def send(self, begin, end, g, chan, at='main.send:20', len_=0, cap=0, after=0, result=DONE):
        self.ev(begin, 'ChanSendBegin', g, chan, len_, cap, at=at)
        self.ev(end, 'ChanSendEnd', g, chan, after, result)

    def recv(self, begin, end, g, chan, at='main.recv:30', len_=0, cap=0, after=0, result=DONE):
        self.ev(begin, 'ChanRecvBegin', g, chan, len_, cap, at=at)
        self.ev(end, 'ChanRecvEnd', g, chan, after, result)


class WrittenCase(Case):
    def write(self, trace, name='t.lanes'):
        path = self.path(name)
        subprocess.run([LANES_OF, path], input='\n'.join(trace.lines).encode(), check=True)
        return path

    def answer(self, command, trace, *options, code=0):
        """The JSON document of a command about a trace."""
        path = trace if isinstance(trace, str) else self.write(trace)
        return json.loads(self.golanes(command, '--json', '-q', *options, path, code=code).out)

    def page(self, command, trace, *options, code=0):
        path = trace if isinstance(trace, str) else self.write(trace)
        return self.golanes(command, '-q', *options, path, code=code).out.decode()
