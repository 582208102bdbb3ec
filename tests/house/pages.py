#!/usr/bin/env python3
"""The manual is whole and true: lint, a page for each command, option and function, completions, the README's commands.

    pages.py --source TREE --build BUILD --golanes PROGRAM
"""
import argparse
import os
import re
import shutil
import subprocess
import sys

from exports import declared, emit_headers, format_headers

# mandoc's complaints about how scdoc writes roff, which no text of ours can change.
SCDOC_HABITS = ('skipping paragraph macro', 'input text line longer', 'lower case character in document title')
OPTION = re.compile(r'(?<![\w-])--([a-z][a-z-]*)')


def run(*command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **more)


class Pages:
    def __init__(self, source, build, program):
        self.source, self.program, self.bad = source, program, []
        self.folder = os.path.join(build, 'docs', 'man')
        self.completions = os.path.join(build, 'docs', 'completions')
        # "  summary FILE    what happened …" under "Commands", up to the empty line: what stands two columns in.
        text = run(program, 'help').stdout
        listed = re.search(r'^Commands\n(.*?)\n\n', text, re.M | re.S)
        self.commands = re.findall(r'^ {2}([a-z]+)\b', listed.group(1), re.M) if listed else []
        if len(self.commands) < 3:
            self.bad.append(f'golanes help lists no commands:\n{text}')
        self.options = {c: sorted(set(OPTION.findall(run(program, 'help', c).stdout))) for c in self.commands}

    def page(self, name):
        """A page's text as a person sees it, or ''."""
        path = os.path.join(self.folder, name)
        if not os.path.isfile(path):
            self.bad.append(f'there is no page {name}')
            return ''
        text = run('mandoc', '-T', 'utf8', '-O', 'width=300', path).stdout
        return re.sub('.\b', '', text)

    def lint(self):
        for name in sorted(os.listdir(self.folder)):
            for line in run('mandoc', '-T', 'lint', os.path.join(self.folder, name)).stdout.splitlines():
                if not any(habit in line for habit in SCDOC_HABITS):
                    self.bad.append(line)

    def commands_and_options(self):
        whole = self.page('golanes.1')
        for command in self.commands:
            text = self.page(f'golanes-{command}.1')
            if f'golanes-{command}' not in whole:
                self.bad.append(f'golanes(1) does not name golanes-{command}(1)')
            self.bad += [f'golanes-{command}(1) lacks --{o}' for o in self.options[command] if f'--{o}' not in text]
            # The other way round: the page promises nothing that the command refuses.
            entries = re.findall(r'^ *(?:-\w, )?--([a-z-]+)', text, re.M)
            self.bad += [f'golanes-{command}(1) has --{o}, help has not' for o in entries if o not in self.options[command]]
            for heading in ('NAME', 'SYNOPSIS', 'DESCRIPTION', 'OPTIONS', 'EXIT STATUS', 'SEE ALSO'):
                if not re.search(rf'^{heading}$', text, re.M):
                    self.bad.append(f'golanes-{command}(1) has no {heading}')
        known = {f'golanes-{c}.1' for c in self.commands}
        for name in os.listdir(self.folder):
            if name.startswith('golanes-') and name.endswith('.1') and name not in known:
                self.bad.append(f'page {name} is of no command')

    def functions_and_events(self):
        text = ''.join(self.page(f'golanes-{p}.3') for p in ('reader', 'writer', 'gotrace', 'emit'))
        headers = format_headers(self.source) + emit_headers(self.source)
        # A name that ends in _ is no interface.
        names = {n for n in declared(headers) if not n.endswith('_')}
        self.bad += [f'{n} is in no page of section 3' for n in sorted(names) if not re.search(rf'\b{n}\b', text)]
        said = set(re.findall(r'\bgl_(?!\w+_fn\b|error\b|status\b|event\b)\w+', text))
        types = set()
        for header in headers:
            with open(header, encoding='utf-8') as f:
                types |= set(re.findall(r'\bgl_\w+', f.read()))
        with open(os.path.join(self.source, 'format', 'events.def'), encoding='utf-8') as f:
            events = re.findall(r'^GL_EVENT\(\d+, (\w+)', f.read(), re.M)
        types |= {f'gl_emit_{e}{form}' for e in events + ['NAME'] for form in ('', '_here', '_at')}
        self.bad += [f'a page of section 3 names {n}, which no header has' for n in sorted(said - types)]

        text = self.page('golanes-format.5')
        with open(os.path.join(self.source, 'format', 'events.def'), encoding='utf-8') as f:
            table = re.sub(r'/\*.*?\*/', '', f.read(), flags=re.S)
        for code, name in re.findall(r'^GL_EVENT\((\d+), (\w+)', table, re.M):
            if f'{name} ({code},' not in text:
                self.bad.append(f'golanes-format(5) lacks {name} ({code})')
        for kind in set(re.findall(r'GL_ARG\((\w+),', table)):
            if not re.search(rf'^ *(\w+, )*{kind.lower()}\b(, \w+)*$', text, re.M):
                self.bad.append(f'golanes-format(5) does not say what the kind {kind.lower()} is')

    def shells(self):
        for shell in ('bash', 'zsh', 'fish'):
            path = os.path.join(self.completions, shell)
            with open(path, encoding='utf-8') as f:
                text = f.read()
            words = self.commands + [o for c in self.commands for o in self.options[c]]
            self.bad += [f'completions for {shell} lack {w}' for w in sorted(set(words)) if not re.search(rf'\b{re.escape(w)}\b', text)]
            if shutil.which(shell):
                p = run(shell, '-n', path)
                if p.returncode != 0:
                    self.bad.append(f'completions for {shell}: {p.stdout}')

    def readme(self):
        """Commands in the documents' code blocks exist, with their options."""
        for name in ('README.md', 'CONTRIBUTING.md', 'docs/ARCHITECTURE.md'):
            with open(os.path.join(self.source, name), encoding='utf-8') as f:
                text = f.read()
            for block in re.findall(r'^```\w*\n(.*?)^```|`(golanes [^`]+)`', text, re.M | re.S):
                for line in '\n'.join(block).splitlines():
                    m = re.match(r'(?:\$ )?(?:\S*/)?golanes ([a-z]+)\b(.*)', line)
                    if not m:
                        continue
                    command, rest = m.group(1), m.group(2).split('#')[0].split('|')[0]
                    if command not in self.commands:
                        self.bad.append(f'{name}: there is no command golanes {command}')
                        continue
                    self.bad += [f'{name}: golanes {command} has no --{o}' for o in OPTION.findall(rest)
                                 if o not in self.options[command]]
            for script in re.findall(r'\b((?:scripts|bench)/[a-z-]+)\b', text):
                if not os.path.exists(os.path.join(self.source, script)):
                    self.bad.append(f'{name} names {script}, which is not there')


def main():
    a = argparse.ArgumentParser()
    for name in ('source', 'build', 'golanes'):
        a.add_argument('--' + name, required=True)
    o = a.parse_args()
    if not shutil.which('mandoc'):
        print('SKIP: mandoc is not installed')
        return 77
    pages = Pages(o.source, o.build, o.golanes)
    if not os.path.isdir(pages.folder):
        print('SKIP: scdoc was not there when the build was made')
        return 77
    for check in (pages.lint, pages.commands_and_options, pages.functions_and_events, pages.shells, pages.readme):
        check()
    for line in pages.bad:
        print(line)
    print(f'{len(pages.commands)} commands, {sum(len(v) for v in pages.options.values())} options, {len(pages.bad)} complaints')
    return 1 if pages.bad else 0


if __name__ == '__main__':
    sys.exit(main())
