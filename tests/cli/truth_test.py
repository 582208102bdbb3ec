#!/usr/bin/env python3
"""Reports against a program that counts what it does: examples/chanrt, recorded, and what it says of itself at its end."""
import os
import subprocess
import sys

from harness import GOLANES, main
from written import WrittenCase

DEMO = os.environ.get('CHANRT_DEMO', '')


class Truth(WrittenCase):
    def record(self, *what):
        """The trace, and the program's own figures."""
        path = self.path(what[0].lstrip('-') + '.lanes')
        p = subprocess.run([GOLANES, 'record', '-q', '-o', path, '--', DEMO, *what], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           stdin=subprocess.DEVNULL, timeout=60, check=False)
        if not os.path.exists(path):
            self.skipTest('nothing was recorded here: ' + p.stdout.decode(errors='replace')[-300:])
        figures = {}
        for line in p.stdout.decode(errors='replace').splitlines():
            key, _, value = line.partition(' ')
            figures[key] = int(value) if value.isdigit() else value
        return path, figures

    def test_straddles_and_leaks(self):
        path, said = self.record('--straddle', '7', '--leak', '3', '--pipeline', '200')
        self.assertEqual(said['straddles'], 7)
        d = self.answer('straddles', path)
        sends = d['kinds']['send']
        self.assertTrue(said['straddles'] <= sends['straddling'] <= said['straddles'] + said['straddles_maybe'], (sends, said))
        self.assertEqual(sends['n'], said['sends'] + said['select_sends'])
        self.assertTrue(all(g['channel'] for g in d['groups']))
        d = self.answer('stuck', path)
        self.assertEqual(d['waiting'], said['leaks'])
        self.assertEqual({p['cause'] for p in d['places']}, {'no sender is left', 'no receiver is left'})
        self.assertEqual(self.answer('pauses', path)['count'], said['stws'])
        c = self.answer('channels', path, '--top', '0')
        self.assertEqual(sum(x['send']['done'] for x in c['channels']), said['sends'] + said['select_sends'])
        self.assertEqual(sum(x['receive']['done'] for x in c['channels']), said['receives'] + said['select_receives'])
        self.assertEqual(sum(x['receive']['closed'] for x in c['channels']), said['receives_closed'])
        self.golanes('check', '-q', '-a', 'straddles >= 7', '-a', 'stuck == 3', '-a', 'lost_events == 0', path)

    def test_panics_of_channels(self):
        path, said = self.record('--send-closed', '3', '--close-closed', '2', '--sends', '10')
        kinds = {k: v['n'] for k, v in self.answer('anomalies', path)['kinds'].items()}
        self.assertEqual(kinds['send-on-closed'], said['send_panics'] + said['select_panics'])
        self.assertEqual(kinds['send-on-closed'], 3)
        self.assertEqual(kinds['close-of-closed'] + kinds['close-of-nil'], said['close_panics'])
        self.assertEqual(kinds['dead-by-panic'], 0)  # each is caught
        self.golanes('check', '-q', '-a', 'anomalies("send-on-closed") == 3', path)
        self.golanes('check', '-q', '-a', 'anomalies("send-on-closed") == 0', path, code=1)

    def test_how_it_ends(self):
        path, said = self.record('--deadlock')
        self.assertEqual(said['end'], 'deadlock')
        self.assertTrue(self.answer('stuck', path)['everybody'])
        self.golanes('check', '-q', '-a', 'deadlocks == 1', path)
        path, said = self.record('--uncaught')
        self.assertEqual(said['end'], 'panic')
        self.assertEqual(self.answer('anomalies', path)['kinds']['dead-by-panic']['n'], 1)


if __name__ == '__main__':
    if not os.path.exists(DEMO):
        print('SKIP: examples/chanrt was not built')
        sys.exit(77)
    main()
