#!/usr/bin/env python3
"""Compiles each header alone: public ones as C11 and as C++17, private ones as C11, without a warning.

    headers.py --source TREE --build BUILD --cc CC --cxx CXX
"""
import argparse
import concurrent.futures
import os
import shlex
import subprocess
import sys

ROOMS = ['format', 'runtime_probe', 'tracer', 'analysis', 'export', 'viewer', 'cli']
COMMON = '-Wall -Wextra -Wpedantic -Wshadow -Wundef -Werror -fsyntax-only -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64'.split()
LIBRARIES = ['libzstd', 'libxxhash', 'zlib', 'libpcre2-8', 'jansson', 'libcurl', 'libutf8proc', 'libelf', 'libdw']


def headers(tree):
    """(path, public): public is what lies in an include/ folder."""
    for room in ROOMS:
        for folder, _, names in os.walk(os.path.join(tree, room)):
            for name in sorted(names):
                if name.endswith('.h'):
                    yield os.path.join(folder, name), 'include' in os.path.relpath(folder, tree).split(os.sep)


def main():
    a = argparse.ArgumentParser()
    for name in ('source', 'build', 'cc', 'cxx'):
        a.add_argument('--' + name, required=True)
    o = a.parse_args()
    flags = subprocess.run(['pkg-config', '--cflags'] + LIBRARIES, stdout=subprocess.PIPE, text=True, check=True).stdout
    include = [f'-I{o.build}/include'] + shlex.split(flags)
    for room in ROOMS:
        include += [f'-I{o.source}/{room}/include', f'-I{o.source}/{room}']

    def compile_one(job):
        path, language = job
        command = [o.cc, '-std=c11', '-Wstrict-prototypes', '-x', 'c'] if language == 'C11' else [o.cxx, '-std=c++17', '-x', 'c++']
        p = subprocess.run(command + COMMON + [f'-I{os.path.dirname(path)}'] + include + ['-include', path, os.devnull],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return path, language, p.returncode, p.stdout

    found = list(headers(o.source))
    jobs = [(path, language) for path, public in found for language in (['C11', 'C++17'] if public else ['C11'])]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, language, status, text in pool.map(compile_one, jobs):
            if status != 0:
                failed += 1
                print(f'{os.path.relpath(path, o.source)} does not compile alone as {language}:\n{text}')
    print(f'{len(found)} headers, {len(jobs)} compilations, {failed} failed')
    return 1 if failed or not found else 0


if __name__ == '__main__':
    sys.exit(main())
