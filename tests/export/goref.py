"""Go's own tools, where a toolchain is there: the real readers and writers that exports are held against."""
import os
import shutil
import subprocess
import sys

SOURCE = os.environ['GOLANES_SOURCE']


def go_command():
    """The go command of Go 1.26, or None. Only what is there already: a test fetches nothing."""
    cache = os.path.join(os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'), 'golanes', 'go', 'go-1.26', 'bin', 'go')
    for path in ('/usr/lib/go-1.26/bin/go', cache):
        if os.access(path, os.X_OK):
            return path
    path = shutil.which('go')
    if path:
        version = subprocess.run([path, 'version'], stdout=subprocess.PIPE, text=True, check=False).stdout
        if 'go1.26' in version:
            return path
    return None


def skip(reason):
    print('SKIP: ' + reason)
    sys.exit(77)


def need_go():
    path = go_command()
    if not path:
        skip('no Go 1.26 toolchain (scripts/go-toolchain 1.26 fetches one)')
    return path


def environment(tmp):
    """A home of its own; but one cache for all runs, as Go builds its tools anew where there is none."""
    cache = os.path.join(os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'), 'golanes', 'go-build')
    return {**os.environ, 'HOME': tmp, 'GOCACHE': cache, 'GOFLAGS': '', 'GOTOOLCHAIN': 'local', 'GO111MODULE': 'off'}


def go_profile(go, kind, trace, tmp):
    """The profile of go tool trace, or the sentence that it gives instead."""
    p = subprocess.run([go, 'tool', 'trace', '-pprof=' + kind, trace], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                       env=environment(tmp), timeout=600)
    return (p.stdout, None) if p.returncode == 0 and p.stdout else (None, p.stderr.decode(errors='replace').strip())
