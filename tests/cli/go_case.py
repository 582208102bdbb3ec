"""Go programs that reports are tried on, built with a real toolchain and recorded as they are."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'export'))
import goref
import harness


class GoCase(harness.Case):
    """sources: name and folder of each program; `programs` has them built, for all tests of the class."""
    sources = {}

    @classmethod
    def setUpClass(cls):
        go = goref.go_command()
        if not go:
            raise unittest.SkipTest('no Go 1.26 is to be had')
        cls.folder = tempfile.mkdtemp(prefix='golanes-test-')
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.programs = {}
        env = {**goref.environment(cls.folder), 'GO111MODULE': 'on'}
        for name, source in cls.sources.items():
            out = cls.programs[name] = os.path.join(cls.folder, name)
            subprocess.run([go, 'build', '-o', out, '.'], cwd=source, env=env, check=True, timeout=600)

    def record_program(self, path, *words):
        """Into a file, which is given back."""
        p = subprocess.run([harness.GOLANES, 'record', '-qf', '-o', path, '--', *words], stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False, timeout=120)
        if not os.path.exists(path):
            self.skipTest('nothing is recorded here: ' + p.stderr.decode(errors='replace')[-300:])
        return path

    @staticmethod
    def trace_program(path, program, *options):
        """The same by Go's own tracer, which the program starts itself."""
        subprocess.run([program, '-trace', path, *options], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True, timeout=120)
        return path
