#!/usr/bin/env python3
"""The comparator itself: a reference agrees with itself, and a figure that is off, gone or new is noticed.

    check_summary_test.py FOLDER
"""
import copy
import glob
import os
import sys

from check_summary import differences, facts, load, FIGURES

CHANGES = [
    ('a figure that is off', lambda d: d['goroutines'][-1]['raw'].__setitem__('running', d['goroutines'][-1]['raw'].get('running', 0) + 1)),
    ('a goroutine that is gone', lambda d: d['goroutines'].pop()),
    ('a count that is new', lambda d: d['events']['block_reasons'].__setitem__('a reason of its own', 1)),
    ('a wrong name', lambda d: d['goroutines'][0].__setitem__('name', 'main.other')),
    ('an unread end', lambda d: d.__setitem__('complete', False)),
]


def main():
    bad = 0
    found = sorted(glob.glob(os.path.join(sys.argv[1], '*.oracle.json.zst')))
    for path in found:
        reference = load(path)
        if len(facts(reference, FIGURES)) < 50 or differences(reference, copy.deepcopy(reference)):
            bad += 1
            print(f'FAILED: {path} is empty or does not agree with itself')
        for what, change in CHANGES:
            got = copy.deepcopy(reference)
            change(got)
            named = any(g.get('name') for g in reference['goroutines'][:1])
            if not differences(reference, got) and (named or what != 'a wrong name'):
                bad += 1
                print(f'FAILED: {path}: {what} was not noticed')
    print(f'{len(found)} references, {bad} failures')
    return 1 if bad or not found else 0


if __name__ == '__main__':
    sys.exit(main())
