#!/usr/bin/env python3
"""The shared library exports what the public headers declare with GL_API, and nothing else.

    exports.py --source TREE --library LIBGOLANES.so --nm NM

The public headers are those of format/, and of runtime_probe/ those that a traced program is compiled with.
"""
import argparse
import os
import re
import subprocess
import sys


EMIT_HEADERS = ('emit.h', 'ring.h')
DECLARED = re.compile(r'GL_API\b(?:\s*__attribute__\s*\(\(.*?\)\))?[\w\s*]*?\b(\w+)\s*(?:\(|$|__attribute__)', re.S)


def format_headers(tree):
    folder = os.path.join(tree, 'format', 'include', 'golanes')
    return [os.path.join(folder, n) for n in sorted(os.listdir(folder)) if n.endswith('.h')]


def emit_headers(tree):
    return [os.path.join(tree, 'runtime_probe', 'include', 'golanes', n) for n in EMIT_HEADERS]


def declared(headers):
    """Functions and variables; of the latter the emitting side's inline functions need some."""
    names = set()
    for path in headers:
        with open(path, encoding='utf-8') as f:
            text = re.sub(r'/\*.*?\*/|//[^\n]*|^#define[^\n]*', '', f.read(), flags=re.S | re.M)
        for statement in text.split(';'):
            if 'GL_API' in statement:
                names.add(DECLARED.search(statement[statement.rindex('GL_API'):]).group(1))
    return names


def main():
    a = argparse.ArgumentParser()
    for name in ('source', 'library', 'nm'):
        a.add_argument('--' + name, required=True)
    o = a.parse_args()
    want = declared(format_headers(o.source) + emit_headers(o.source))
    p = subprocess.run([o.nm, '-D', '--defined-only', o.library], stdout=subprocess.PIPE, text=True, check=True)
    have = {line.split()[-1].split('@')[0] for line in p.stdout.splitlines()}
    for name in sorted(want - have):
        print(f'{name} is declared but not in the library')
    for name in sorted(have - want):
        print(f'{name} is in the library but not declared with GL_API')
    print(f'{len(want)} declared, {len(have)} exported')
    return 1 if want != have or not want else 0


if __name__ == '__main__':
    sys.exit(main())
