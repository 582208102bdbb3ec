#!/usr/bin/env python3
"""Plants forbidden arrows into copies of the tree and expects arrows.py to notice each.

    arrows_test.py ARROWS.py TREE
"""
import os
import shutil
import subprocess
import sys
import tempfile

ROOMS = ['format', 'runtime_probe', 'tracer', 'analysis', 'export', 'viewer', 'cli']

# what is planted, {file: text to append}, a piece of the complaint that must come (None: no complaint at all)
PLANTS = [
    ('nothing', {}, None),
    ('format includes analysis', {'analysis/planted.h': 'int a;', 'format/src/planted.c': '#include "planted.h"\n#include "analysis/planted.h"'},
     'format/ may not use analysis/'),
    ('by a path with dots', {'cli/planted.h': 'int a;', 'analysis/planted.c': '#  include "../cli/planted.h"'},
     'analysis/ may not use cli/'),
    ('tracer includes viewer', {'viewer/planted.h': 'int a;', 'tracer/planted.c': '#include "viewer/planted.h"'},
     'tracer/ may not use viewer/'),
    ('viewer includes tracer', {'tracer/planted.h': 'int a;', 'viewer/planted.c': '#include <planted.h>'},
     'viewer/ may not use tracer/'),
    ('runtime_probe includes the writer', {'runtime_probe/planted.c': '#include "golanes/writer.h"'},
     'may use the event table only'),
    ('runtime_probe includes the event table', {'runtime_probe/planted.c': '#include "golanes/events.def"'}, None),
    ('curses outside the viewer', {'cli/planted.c': '#include <curses.h>'}, 'curses.h belongs'),
    ('curses twice', {'viewer/planted1.c': '#include <ncurses.h>', 'viewer/planted2.c': '#include <curses.h>'}, 'curses.h belongs'),
    ('format links analysis', {'analysis/CMakeLists.txt': 'add_library(planted_lib STATIC x.c)',
                               'format/CMakeLists.txt': 'target_link_libraries(golanes_format\n  PRIVATE planted_lib)'},
     'format/ may not use analysis/'),
    ('a link in a comment', {'analysis/CMakeLists.txt': 'add_library(planted_lib STATIC x.c)',
                             'format/CMakeLists.txt': '# target_link_libraries(golanes_format PRIVATE planted_lib)'}, None),
    ('viewer compiles a file of tracer', {'viewer/CMakeLists.txt': 'target_sources(v PRIVATE ${PROJECT_SOURCE_DIR}/tracer/x.c)'},
     'viewer/ may not use tracer/'),
    ('cli uses everything', {'tracer/planted.h': 'int a;', 'cli/planted.c': '#include "tracer/planted.h"'}, None),
]


def main():
    arrows, tree = sys.argv[1:3]
    failed = 0
    for what, plants, complaint in PLANTS:
        with tempfile.TemporaryDirectory() as copy:
            for room in ROOMS:
                shutil.copytree(os.path.join(tree, room), os.path.join(copy, room))
            for name, text in plants.items():
                path = os.path.join(copy, name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, 'a', encoding='utf-8') as f:
                    f.write('\n' + text + '\n')
            p = subprocess.run([sys.executable, arrows, copy], stdout=subprocess.PIPE, text=True, check=False)
            good = p.returncode == 0 if complaint is None else p.returncode == 1 and complaint in p.stdout
            print(f'{"ok" if good else "FAILED"}: {what}')
            if not good:
                failed += 1
                print(p.stdout)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
