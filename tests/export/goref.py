"""Go's own tools, where a toolchain is there: the real readers and writers that exports are held against."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'gobin'))
import toolchains  # noqa: E402  pylint: disable=wrong-import-position


def go_command():
    """The go command of Go 1.26, fetched where it is to be had; or None."""
    root = toolchains.goroot('1.26', True)
    return root and os.path.join(root, 'bin', 'go')


def skip(reason):
    print('SKIP: ' + reason)
    sys.exit(77)


def need_go():
    path = go_command()
    if not path:
        skip('no Go 1.26 is to be had')
    return path


def environment(tmp):
    """A home of its own; but one cache for all runs, as Go builds its tools anew where there is none."""
    return {**os.environ, 'HOME': tmp, 'GOCACHE': toolchains.build_cache('1.26'), 'GOFLAGS': '', 'GOTOOLCHAIN': 'local', 'GO111MODULE': 'off'}


def go_profile(go, kind, trace, tmp):
    """The profile of go tool trace, or the sentence that it gives instead."""
    p = subprocess.run([go, 'tool', 'trace', '-pprof=' + kind, trace], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                       env=environment(tmp), timeout=600)
    return (p.stdout, None) if p.returncode == 0 and p.stdout else (None, p.stderr.decode(errors='replace').strip())
