#!/usr/bin/env python3
"""The shared library exports what the public headers declare with GL_API, and nothing else.

    exports.py --source TREE --library LIBGOLANES.so --nm NM
"""
import argparse
import os
import re
import subprocess
import sys


def declared(folder):
    names = set()
    for name in sorted(n for n in os.listdir(folder) if n.endswith('.h')):
        with open(os.path.join(folder, name), encoding='utf-8') as f:
            text = re.sub(r'/\*.*?\*/|//[^\n]*|^#define[^\n]*', '', f.read(), flags=re.S | re.M)
        for statement in text.split(';'):
            if 'GL_API' in statement:
                names.add(re.search(r'(\w+)\s*\(', statement[statement.rindex('GL_API'):]).group(1))
    return names


def main():
    a = argparse.ArgumentParser()
    for name in ('source', 'library', 'nm'):
        a.add_argument('--' + name, required=True)
    o = a.parse_args()
    want = declared(os.path.join(o.source, 'format', 'include', 'golanes'))
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
