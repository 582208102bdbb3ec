"""Go toolchains and the programs that tests build with them."""
import os
import shutil
import subprocess
import sys

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.dirname(os.path.abspath(__file__))
VERSIONS = ['1.19', '1.21', '1.22', '1.23', '1.24', '1.25', '1.26', '1.27']
KINDS = ['plain', 'strip', 'pie', 'cgo', 'cgopie', 'pgo']


def cache():
    base = os.environ.get('XDG_CACHE_HOME')
    return os.path.join(base, 'golanes', 'go') if base else os.path.join(TREE, 'build', 'go')


def build_cache(version):
    """Compiled packages, kept for all tests beside the toolchains."""
    return os.path.join(os.path.dirname(cache()), f'gocache-{version}')


def goroot(version, fetch):
    """The GOROOT of a version that is here, or can be fetched; None."""
    places = [f'/usr/lib/go-{version}', '/usr/local/go', os.path.join(cache(), f'go-{version}')]
    go = shutil.which('go')
    if go:
        places.insert(0, run([go, 'env', 'GOROOT']).stdout.strip())
    for root in places:
        if os.path.exists(f'{root}/bin/go') and os.path.exists(f'{root}/src/runtime/proc.go'):
            said = run([f'{root}/bin/go', 'version'], env=dict(os.environ, GOROOT=root, GOTOOLCHAIN='local')).stdout
            if f' go{version}.' in said or f' go{version} ' in said:
                return root
    if not fetch:
        return None
    p = run([os.path.join(TREE, 'scripts', 'go-toolchain'), version])
    return p.stdout.strip() if p.returncode == 0 else None


def run(words, **more):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **more)


class Builder:
    """Builds target.go in a kind with one toolchain. Compiled packages are kept beside the toolchains."""

    def __init__(self, version, root, work):
        self.version, self.root, self.work = version, root, work
        self.minor = int(version.split('.')[1])
        self.env = dict(os.environ, GOROOT=root, GOTOOLCHAIN='local', GO111MODULE='off', GOFLAGS='', CGO_ENABLED='0',
                        GOCACHE=build_cache(version), GOPATH=os.path.join(work, 'gopath'))

    def go(self, *words, **env):
        return run([f'{self.root}/bin/go', *words], env=dict(self.env, **env))

    def profile(self):
        path = os.path.join(self.work, 'cpu.pprof')
        if not os.path.exists(path):
            program = os.path.join(self.work, f'profile-{self.version}')
            p = self.go('build', '-o', program, os.path.join(HERE, 'profile.go'))
            if p.returncode != 0 or run([program, path]).returncode != 0:
                raise RuntimeError(p.stderr)
        return path

    def build(self, kind, stripped=None, sources=None, with_c=None, name=''):
        """The program's path; None where this toolchain can't make that kind here. with_c: the source that comes in
        where it is linked with C code."""
        words, env = [], {}
        sources = list(sources or [os.path.join(HERE, 'target.go')])
        stripped = kind in ('strip', 'pie', 'cgopie') if stripped is None else stripped
        flags = ['-s', '-w'] if stripped else []
        if kind in ('pie', 'cgopie'):
            words.append('-buildmode=pie')
        if kind in ('cgo', 'cgopie'):
            if not shutil.which('gcc'):
                return None
            env['CGO_ENABLED'] = '1'
            flags.append('-linkmode=external')
            sources.append(with_c or os.path.join(HERE, 'target_cgo.go'))
        if kind == 'pgo':
            if self.minor < 21:
                return None
            words.append('-pgo=' + self.profile())
        if flags:
            words.append('-ldflags=' + ' '.join(flags))
        out = os.path.join(self.work, f'{name}{self.version}-{kind}{"-s" if stripped else ""}')
        p = self.go('build', *words, '-o', out, *sources, **env)
        if p.returncode != 0:
            raise RuntimeError(f'Go {self.version} does not build {kind}: {p.stderr}')
        return out


def builders(releases, work):
    """A builder for each release that is to be had; where none is, the test is skipped."""
    some = False
    for release in releases:
        root = goroot(release, True)
        if root:
            some = True
            yield Builder(release, root, work)
        else:
            print(f'no Go {release} here')
    if not some:
        print('SKIP: no Go is to be had')
        sys.exit(77)
