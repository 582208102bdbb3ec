#!/usr/bin/env python3
"""golanes doctor as people run it: exit codes, sentences, JSON.

    doctor_test.py --golanes GOLANES --programs FOLDER     (of made programs)
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'support'))
import suite  # noqa: E402  pylint: disable=wrong-import-position

OPTIONS = None


def doctor(*words):
    return subprocess.run([OPTIONS.golanes, 'doctor', *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)


class Doctor(unittest.TestCase):
    def refused(self, what, words, refusal=None):
        p = doctor(what)
        self.assertEqual(p.returncode, 3, p.stdout + p.stderr)
        self.assertIn(words, p.stdout)
        last = p.stdout.rstrip('\n').split('\n')[-1]
        self.assertTrue(last.startswith("can't be recorded: "), last)
        d = json.loads(doctor('--json', what).stdout)
        self.assertIs(d['recordable'], False)
        self.assertIn(words, d['why'])
        self.assertEqual(d.get('refusal'), refusal)
        return d

    def test_what_is_no_go_program(self):
        self.refused(shutil.which('true'), 'not a Go program', 'not_go')
        self.refused(os.path.abspath(__file__), 'not an ELF program', 'not_elf')
        with tempfile.TemporaryDirectory() as work:
            copy = os.path.join(work, 'arm')
            with open(os.path.join(OPTIONS.programs, 'go1.26'), 'rb') as f:
                b = bytearray(f.read())
            b[18:20] = b'\xb7\x00'
            with open(copy, 'wb') as f:
                f.write(b)
            self.refused(copy, 'a program for arm64', 'architecture')

    def test_what_is_not_there(self):
        for what, words in [('/nowhere/at/all', 'No such file'), ('999999999', 'there is no process 999999999')]:
            p = doctor(what)
            self.assertEqual((p.returncode, p.stdout), (3, ''))
            self.assertIn(words, p.stderr)
            self.assertEqual(len(p.stderr.splitlines()), 1)

    def test_a_process_of_another_kind(self):
        with subprocess.Popen(['sleep', '60']) as sleep:
            self.refused(str(sleep.pid), 'not a Go program', 'not_go')
            sleep.kill()

    def test_a_file_whose_name_is_a_number(self):
        with tempfile.TemporaryDirectory() as work:
            shutil.copy(os.path.join(OPTIONS.programs, 'go1.26'), os.path.join(work, '1'))
            p = subprocess.run([os.path.abspath(OPTIONS.golanes), 'doctor', '--json', '1'], cwd=work, stdout=subprocess.PIPE, check=False)
            self.assertEqual(json.loads(p.stdout)['program']['version'], 'go1.26.3')

    def test_a_program_of_which_not_all_is_seen(self):
        # The made program has five functions; most of what is probed is not in it.
        path = os.path.join(OPTIONS.programs, 'go1.26')
        p = doctor(path)
        self.assertEqual(p.returncode, 0)
        self.assertIn('events that will not be seen, or not all', p.stdout)
        self.assertRegex(p.stdout, r'(?m)^  ChanClose +there is no function runtime.closechan$')
        self.assertTrue(p.stdout.endswith('can be recorded\n'))
        self.assertEqual(doctor('--strict', path).returncode, 1)
        d = json.loads(doctor('--json', path).stdout)
        seen = {e['event'] for e in d['events'] if e['seen']}
        self.assertIn('ChanSendBegin', seen)
        self.assertIn('GoCreate', seen)
        self.assertNotIn('ChanClose', seen)
        self.assertEqual(d['offsets']['sources'], ['types', 'known'])
        self.assertEqual(d['offsets']['g.atomicstatus'], 144)
        self.assertEqual({p['probe']: p['sites'] for p in d['probes']}['CAS'], 1)

    def test_a_set_user_id_program(self):
        with tempfile.TemporaryDirectory() as work:
            copy = os.path.join(work, 'program')
            shutil.copy(os.path.join(OPTIONS.programs, 'go1.26'), copy)
            os.chmod(copy, 0o4755)
            self.refused(copy, 'set-user-ID')

    def test_usage(self):
        self.assertEqual(doctor().returncode, 2)
        self.assertEqual(doctor('a', 'b').returncode, 2)
        self.assertEqual(doctor('--help').returncode, 0)


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--golanes', required=True)
    parser.add_argument('--programs', required=True)
    OPTIONS = parser.parse_args()
    suite.main(argv=sys.argv[:1], verbosity=1)
