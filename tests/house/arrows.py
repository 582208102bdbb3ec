#!/usr/bin/env python3
"""Checks that the arrows between the rooms run only as the table below says (docs/ARCHITECTURE.md has the same one).

    arrows.py TREE

Two kinds of arrow are looked at: #include lines in C files, and what targets link in CMakeLists.txt files. One line on
standard output for each arrow that is not allowed; exit 1 where there is one.
"""
import os
import re
import sys

# room -> rooms it may use. runtime_probe may use one thing of format/: the vocabulary, and what that includes.
MAY_USE = {
    'format': set(),
    'runtime_probe': {'format'},
    'tracer': {'runtime_probe', 'format'},
    'analysis': {'format'},
    'export': {'analysis', 'format'},
    'viewer': {'analysis', 'format'},
    'cli': {'format', 'runtime_probe', 'tracer', 'analysis', 'export', 'viewer'},
}
PROBE_MAY_INCLUDE = {'events.def', 'events.h', 'error.h'}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.M)
CURSES = re.compile(r'(^|/)n?curses\.h$')
COMMENT = re.compile(r'#\[\[.*?\]\]|#[^\n]*', re.S)
CALL = re.compile(r'\b(add_library|add_executable|target_link_libraries|target_sources|target_include_directories)\s*\(([^)]*)\)')


def files(tree, room, wanted):
    for folder, _, names in os.walk(os.path.join(tree, room)):
        for name in sorted(names):
            if wanted(name):
                yield os.path.join(folder, name)


def read(path):
    with open(path, encoding='utf-8', errors='replace') as f:
        return f.read()


def room_of(tree, path):
    """The room a file lies in, or None."""
    first = os.path.relpath(path, tree).split(os.sep)[0]
    return first if first in MAY_USE else None


def resolve(tree, source, name):
    """Which file of ours an #include names: the compiler's search, with every room's include folders in it."""
    places = [os.path.dirname(source), tree]
    for room in MAY_USE:
        places += [os.path.join(tree, room), os.path.join(tree, room, 'include'), os.path.join(tree, room, 'include', 'golanes')]
    for place in places:
        path = os.path.normpath(os.path.join(place, name))
        if os.path.isfile(path):
            return path
    if name == 'golanes/events.def':
        return os.path.join(tree, 'format', 'events.def')
    return None


def check_includes(tree):
    bad, curses_users = [], []
    for room, allowed in MAY_USE.items():
        for source in files(tree, room, lambda n: n.endswith(('.c', '.h', '.def'))):
            where = os.path.relpath(source, tree)
            for name in INCLUDE.findall(read(source)):
                if CURSES.search(name):
                    curses_users.append(where)
                target = resolve(tree, source, name)
                other = room_of(tree, target) if target else None
                if other is None or other == room:
                    continue
                if other not in allowed:
                    bad.append(f'{where} includes {name}: {room}/ may not use {other}/')
                elif room == 'runtime_probe' and os.path.basename(name) not in PROBE_MAY_INCLUDE:
                    bad.append(f'{where} includes {name}: of format/, runtime_probe/ may use the event table only')
    if any(not w.startswith('viewer' + os.sep) for w in curses_users) or len(set(curses_users)) > 1:
        bad.append('curses.h belongs into one file of viewer/, but is included by ' + ', '.join(sorted(set(curses_users))))
    return bad


def check_links(tree):
    calls = []  # (room, CMakeLists.txt, call, words)
    for room in MAY_USE:
        for path in files(tree, room, lambda n: n == 'CMakeLists.txt' or n.endswith('.cmake')):
            for call, words in CALL.findall(COMMENT.sub('', read(path))):
                calls.append((room, os.path.relpath(path, tree), call, words.split()))
    room_of_target = {words[0]: room for room, _, call, words in calls if call.startswith('add_') and words}
    bad = []
    for room, where, call, words in calls:
        for word in words:
            # A target by name, or a path into another room.
            other = room_of_target.get(word)
            if other is None:
                path = re.match(r'(?:\$\{(?:PROJECT|CMAKE)_SOURCE_DIR\}|(?:\.\.)(?:/\.\.)*)/(\w+)', word)
                other = path.group(1) if path and path.group(1) in MAY_USE else None
            if other and other != room and other not in MAY_USE[room]:
                bad.append(f'{where}: {call}({words[0]} … {word}): {room}/ may not use {other}/')
    return bad


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    tree = os.path.abspath(sys.argv[1])
    missing = [room for room in MAY_USE if not os.path.isdir(os.path.join(tree, room))]
    bad = [f'{room}/ is not there' for room in missing] + check_includes(tree) + check_links(tree)
    for line in bad:
        print(line)
    print(f'{len(bad)} forbidden arrows')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
