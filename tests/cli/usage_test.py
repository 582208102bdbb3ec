#!/usr/bin/env python3
"""Help, usage errors, version, manual text, completions."""
import shutil
import subprocess

from harness import Case, USAGE, INPUT, V2, main

COMMANDS = ['summary', 'view', 'info', 'events', 'import', 'repair', 'help', 'version']


class Usage(Case):
    def test_help_goes_to_standard_output(self):
        whole = self.golanes('--help')
        self.assertEqual(whole.err, '')
        for c in COMMANDS:
            self.assertRegex(whole.out.decode(), rf'(?m)^  {c}\b')
            one = self.golanes(c, '--help')
            self.assertEqual(one.err, '')
            self.assertIn(f'Usage: golanes {c}', one.out.decode())
            self.assertIn('--help', one.out.decode())
            self.assertEqual(one.out, self.golanes('help', c).out)
            self.assertEqual(one.out, self.golanes(c, '-h').out)
        self.assertEqual(whole.out, self.golanes('help').out)
        self.assertEqual(whole.out, self.golanes('-h').out)

    def test_help_fits_the_terminal(self):
        for width in (60, 80, 100):
            for line in self.golanes('help', env={'COLUMNS': str(width)}).lines():
                self.assertLessEqual(len(line), width, line)

    def test_exit_codes_stand_in_the_help(self):
        text = self.golanes('--help').out.decode()
        for code in (0, 1, 2, 3, 4, 5, 130, 143):
            self.assertRegex(text, rf'(?m)^  {code} +\S')

    def test_version(self):
        first = self.golanes('--version').lines()[0]
        self.assertRegex(first, r'^golanes \d+\.\d+\.\d+')
        self.assertEqual(first, self.golanes('version').lines()[0])

    def test_usage_errors_are_one_line_that_points_at_help(self):
        for words, says in [
            ((), 'missing'),
            (('inof', V2), 'did you mean info?'),
            (('zzzzzzz',), 'zzzzzzz'),
            (('--nonsense',), '--nonsense'),
            (('events',), 'FILE is missing'),
            (('events', V2, 'more'), "'more' is one too many"),
            (('events', '--jso0n', V2), '--json'),
            (('events', '--limit', 'ten', V2), "'ten' is not a whole number"),
            (('events', '--limit', '-1', V2), "'-1' is not a whole number"),
            (('events', '--from', '5', V2), "'5' is not a time with a unit"),
            (('events', '--from', '2s', '--to', '1s', V2), '--from is not before --to'),
            (('events', '--type', 'GoBlok', V2), 'did you mean GoBlock?'),
            (('events', '--type', '', V2), '--type'),
            (('events', '--grep', 'a(', V2), 'character 3'),
            (('events', '--json=yes', V2), '--json takes no value'),
            (('events', '-Z', V2), '-Z'),
            (('events', '-n'), '-n needs a value'),
            (('events', '--limit'), '--limit needs a value'),
            (('import', '--level', '99', V2), 'not between 1 and 19'),
            (('import', '-'), '-o OUT'),
            (('import', V2, '-o', V2), 'is the input itself'),
            (('repair', '-'), 'name a file'),
            (('help', 'nothing'), "no command 'nothing'"),
            (('help', '--completion', 'csh'), "'csh'"),
            (('summary', '--width', '3', V2), 'not between 40'),
        ]:
            with self.subTest(words=words):
                r = self.golanes(*words, code=USAGE)
                self.assert_refused(r, says, '--help')

    def test_options_may_come_before_and_behind_the_file(self):
        a = self.golanes('events', '-n', '3', V2)
        self.assertEqual(a.out, self.golanes('events', V2, '--limit=3').out)
        self.assertEqual(len(a.lines()), 3)

    def test_a_file_alone_is_summarised(self):
        self.assertEqual(self.golanes(V2).out, self.golanes('summary', V2).out)
        self.assertEqual(self.golanes(V2, '--json').out, self.golanes('summary', '--json', V2).out)
        self.assert_refused(self.golanes('./nothing-there.trace', code=INPUT), 'nothing-there.trace', 'No such file')

    def test_a_file_named_like_an_option_can_be_read(self):
        with open(V2, 'rb') as f:
            self.put('--trace', f.read())
        self.assertEqual(self.golanes('events', '-c', '--', '--trace', cwd=self.tmp).out, self.golanes('events', '-c', V2).out)

    def test_manual_text_is_sound(self):
        if not shutil.which('scdoc'):
            self.skipTest('scdoc is not here')
        for c in [None] + COMMANDS:
            text = self.golanes('help', '--scdoc', *([c] if c else [])).out
            for heading in ('NAME', 'SYNOPSIS', 'DESCRIPTION', 'EXIT STATUS', 'ENVIRONMENT', 'SEE ALSO'):
                self.assertIn(f'# {heading}\n'.encode(), text)
            p = subprocess.run(['scdoc'], input=text, capture_output=True, check=False)
            self.assertEqual(p.returncode, 0, p.stderr)


class Completions(Case):
    def complete(self, *words):
        """What bash offers behind these words."""
        script = self.put('c.bash', self.golanes('help', '--completion', 'bash').out + b'''
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _golanes; printf '%s\\n' "${COMPREPLY[@]}"
''')
        p = subprocess.run(['bash', script, 'golanes', *words], capture_output=True, text=True, check=True, cwd=self.tmp)
        return p.stdout.split()

    def test_bash_completes_commands_options_values_and_files(self):
        self.put('run.lanes', b'')
        self.assertEqual(self.complete('ev'), ['events'])
        self.assertEqual(self.complete('run'), ['run.lanes'])
        self.assertIn('--goroutine', self.complete('events', '--'))
        self.assertNotIn('--goroutine', self.complete('info', '--'))
        self.assertEqual(self.complete('events', '--type', 'GoBl'), ['GoBlock'])
        self.assertEqual(self.complete('events', '--type', 'GoEnd,GoBl'), ['GoEnd,GoBlock'])
        self.assertEqual(self.complete('help', '--completion', 'z'), ['zsh'])
        self.assertEqual(self.complete('help', 'imp'), ['import'])
        self.assertEqual(self.complete('events', 'ru'), ['run.lanes'])
        self.assertEqual(self.complete('import', '-o', 'ru'), ['run.lanes'])

    def test_other_shells_take_theirs(self):
        tried = 0
        for shell, check in (('zsh', ['-n']), ('fish', ['--no-execute'])):
            text = self.golanes('help', '--completion', shell).out
            self.assertIn(b'--goroutine' if shell == 'zsh' else b'-l goroutine', text)
            if shutil.which(shell):
                tried += 1
                path = self.put(shell, text)
                p = subprocess.run([shell, *check, path], capture_output=True, text=True, check=False)
                self.assertEqual((p.returncode, p.stderr), (0, ''))
        if not tried:
            print('neither zsh nor fish is here: their completions were made, not run')


if __name__ == '__main__':
    main()
