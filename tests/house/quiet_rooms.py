#!/usr/bin/env python3
"""format/, analysis/, export/ and runtime_probe/ are libraries: they never print, exit or abort.

    quiet_rooms.py --source TREE --build BUILD --nm NM

Looked at twice: the source, where a call would stand, and the compiled archives, where a macro or an inline function
can't hide one. assert is allowed (it is for our own bugs, and gone in a release build).
"""
import argparse
import glob
import os
import re
import subprocess
import sys

ROOMS = ['format', 'analysis', 'export', 'runtime_probe']
LOUD = ('exit _exit _Exit quick_exit abort printf vprintf puts putchar perror psignal err errx verr verrx warn warnx '
        'vwarn vwarnx error syslog').split()
SYMBOLS = set(LOUD) | {'__printf_chk', '__vprintf_chk', 'stdout', 'stderr'}
SOURCE_CALL = re.compile(r'(?<![A-Za-z0-9_.>])(' + '|'.join(LOUD) + r')\s*\(|\b(stdout|stderr)\b')
NOT_CODE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def blank(match):
    """Comments and literals vanish, line numbers stay."""
    return re.sub(r'[^\n]', ' ', match.group())


def in_sources(tree):
    bad, seen = [], 0
    for room in ROOMS:
        for folder, _, names in os.walk(os.path.join(tree, room)):
            for name in sorted(n for n in names if n.endswith(('.c', '.h'))):
                path = os.path.join(folder, name)
                with open(path, encoding='utf-8') as f:
                    code = NOT_CODE.sub(blank, f.read())
                seen += 1
                for number, line in enumerate(code.splitlines(), 1):
                    hit = SOURCE_CALL.search(line)
                    # A declaration of a member or variable named err or error is no call.
                    if hit and not re.search(r'\b(int|void|char|const|struct)\s+\**' + re.escape(hit.group(1) or '-'), line):
                        bad.append(f'{os.path.relpath(path, tree)}:{number}: {hit.group().strip()}')
    return bad, seen


def in_archives(build, nm):
    bad, seen = [], 0
    for room in ROOMS:
        for archive in sorted(glob.glob(os.path.join(build, room, '**', '*.a'), recursive=True)):
            seen += 1
            p = subprocess.run([nm, '-A', '--undefined-only', archive], stdout=subprocess.PIPE, text=True, check=True)
            for line in p.stdout.splitlines():
                where, _, symbol = line.rpartition(' U ')
                if symbol.split('@')[0] in SYMBOLS:
                    bad.append(f'{os.path.relpath(where.split(":")[0], build)}({where.split(":")[1]}): refers to {symbol}')
    return bad, seen


def main():
    a = argparse.ArgumentParser()
    for name in ('source', 'build', 'nm'):
        a.add_argument('--' + name, required=True)
    o = a.parse_args()
    bad_source, sources = in_sources(o.source)
    bad_object, archives = in_archives(o.build, o.nm)
    for line in bad_source + bad_object:
        print(line)
    print(f'{sources} source files, {archives} archives, {len(bad_source) + len(bad_object)} loud places')
    return 1 if bad_source or bad_object or not sources or not archives else 0


if __name__ == '__main__':
    sys.exit(main())
