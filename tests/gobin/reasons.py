#!/usr/bin/env python3
"""Holds golanes/goreasons.def against the sources of the Go releases that are here.

    reasons.py GOREASONS.DEF [GOROOT...]        without a GOROOT: the toolchains that are here

Numbers and texts of wait reasons (src/runtime/runtime2.go) and of reasons to stop the world (src/runtime/proc.go). With
--print instead of the table's name: writes the table's rows for exactly these releases.
"""
import re
import sys

from toolchains import VERSIONS, goroot

RELEASES = [19, 21, 22, 23, 24, 25, 26, 27]


def read(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def minor_of(root):
    text = read(root + '/VERSION')
    return int(re.search(r'go1\.(\d+)', text).group(1))


def constants(text, first):
    """Names of a const block that begins with `first … = iota`, in order."""
    block = re.search(r'const \(\s*\n(\s*' + first + r'\b.*?)\n\)', text, re.S)
    if not block:
        return []
    names = []
    for line in block.group(1).splitlines():
        m = re.match(r'\s*([A-Za-z_]\w*)', line.split('//')[0])
        if m:
            names.append(m.group(1))
    return names


def strings(text, variable):
    block = re.search(r'var ' + variable + r' = \[\.\.\.\]string\{(.*?)\n\}', text, re.S)
    if not block:
        return {}
    return dict(re.findall(r'(\w+):\s*"([^"]*)"', block.group(1)))


def of_release(root):
    """{text: number} of waits and of stops."""
    found = []
    for source, first, variable in (('runtime2.go', 'waitReasonZero', 'waitReasonStrings'), ('proc.go', 'stwUnknown', 'stwReasonStrings')):
        text = read(f'{root}/src/runtime/{source}')
        texts = strings(text, variable)
        found.append({i: texts.get(name, '') for i, name in enumerate(constants(text, first)) if name in texts})
    return found


def table(path):
    rows = {'GL_GOWAIT': {}, 'GL_GOSTOP': {}}
    for kind, text, numbers in re.findall(r'^(GL_GOWAIT|GL_GOSTOP)\("([^"]*)",([^)]*)\)', read(path), re.M):
        rows[kind][text] = [int(n) for n in numbers.split(',')]
    return rows


def main():
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    places = sys.argv[2:] or [root for root in (goroot(v, False) for v in VERSIONS) if root]
    if not places:
        print('SKIP: there is no Go toolchain here; scripts/go-toolchain VERSION fetches one')
        return 77
    roots = {minor_of(r): r for r in places}
    found = {minor: of_release(root) for minor, root in roots.items()}
    if sys.argv[1] == '--print':
        for index, kind in enumerate(('GL_GOWAIT', 'GL_GOSTOP')):
            texts = []
            for minor in sorted(found):
                texts += [t for t in found[minor][index].values() if t not in texts]
            for t in texts:
                numbers = [next((n for n, x in found.get(m, ({}, {}))[index].items() if x == t), -1) for m in RELEASES]
                print(f'{kind}("{t}", ' + ', '.join(map(str, numbers)) + ')')
        return 0
    rows, bad, seen = table(sys.argv[1]), 0, 0
    for minor, kinds in sorted(found.items()):
        if minor not in RELEASES:
            continue
        for kind, want in zip(('GL_GOWAIT', 'GL_GOSTOP'), kinds):
            have = {n[RELEASES.index(minor)]: t for t, n in rows[kind].items() if n[RELEASES.index(minor)] >= 0}
            seen += len(want)
            for number in sorted(set(want) | set(have)):
                if want.get(number) != have.get(number):
                    print(f'Go 1.{minor}, {kind} {number}: the source says {want.get(number)!r}, the table {have.get(number)!r}')
                    bad += 1
    print(f'{len(found)} releases, {seen} reasons, {bad} differences')
    return 1 if bad or not seen else 0


if __name__ == '__main__':
    sys.exit(main())
