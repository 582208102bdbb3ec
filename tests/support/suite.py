"""How a script of Python's unittest ends: what ctest is told of it."""
import sys
import unittest


def main(**more):
    """unittest.main, but a script of which no test could run here says so, with the reasons, instead of passing."""
    result = unittest.main(exit=False, **more).result
    methods = sum(isinstance(test, unittest.TestCase) for test, _ in result.skipped)
    if not result.wasSuccessful():
        sys.exit(1)
    if result.skipped and methods == result.testsRun:
        print('SKIP: ' + '; '.join(sorted({reason.removeprefix('SKIP: ') for _, reason in result.skipped})))
        sys.exit(77)
    sys.exit(0)
