#!/usr/bin/env python3
"""Six ways to send on, or close, a closed channel: the trace names the channel, who closed it where, and who failed where.

    closed.py --golanes PROGRAM --source DIR --work DIR
"""
import argparse
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'gobin'))
from toolchains import builders  # noqa: E402  pylint: disable=wrong-import-position

# way: (the panic's text, function that closed, function that failed)
WAYS = {
    'two': ('close of closed channel', 'main.twoClosers.func1', 'main.twoClosers.func1'),
    'after': ('send on closed channel', 'main.senderAfterClose', 'main.senderAfterClose'),
    'early': ('send on closed channel', 'main.earlyExit.func1', 'main.earlyExit'),
    'select': ('send on closed channel', 'main.closeInSelect.func1', 'main.closeInSelect'),
    'defer': ('send on closed channel', 'main.deferredClose.func1', 'main.sender'),
    'receiver': ('send on closed channel', 'main.receiverCloses.func1', 'main.sender'),
}


def functions(event):
    return [f['func'] for f in event.get('stack', [])]


def main():
    ap = argparse.ArgumentParser()
    for name in ('golanes', 'source', 'work'):
        ap.add_argument('--' + name, required=True)
    a = ap.parse_args()
    work = os.path.abspath(a.work)
    os.makedirs(work, exist_ok=True)
    exe = next(builders(['1.26'], work)).build('plain', sources=[os.path.join(os.path.abspath(a.source), 'closed.go')], name='closed-')
    bad = 0
    for way, (text, closer, failer) in WAYS.items():
        lanes = os.path.join(work, way + '.lanes')
        r = subprocess.run([a.golanes, 'record', '-q', '--force', '-o', lanes, '--', exe, way], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, timeout=100)
        out = subprocess.run([a.golanes, 'events', '--json', '--stacks', lanes], stdout=subprocess.PIPE, text=True, check=True).stdout
        events = [json.loads(line) for line in out.splitlines()]
        panics = [e for e in events if e['name'] == 'Panic']
        ok = r.returncode == 2 and f'panic: {text}' in r.stderr and len(panics) == 1
        chan = None
        if ok:
            args = panics[0]['args']
            chan = args['chan']
            ok = args['message'] == text and failer in ' '.join(functions(panics[0])) and int(str(chan), 0) != 0
        if ok:
            closes = [e for e in events if e['name'] == 'ChanClose' and e['args']['chan'] == chan]
            ok = len(closes) == (2 if way == 'two' else 1) and closer in ' '.join(functions(closes[0]))
        print(f'{"ok  " if ok else "FAIL"} {way}: {panics}')
        bad += not ok
    sys.exit(1 if bad else 0)


main()
