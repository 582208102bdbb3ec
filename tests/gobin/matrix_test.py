#!/usr/bin/env python3
"""What is read out of real Go programs, held against Go's own tools, the programs' own words, and the linker's symbols.

    matrix_test.py --ask GOBIN_ASK --golanes GOLANES [--all]

Some of the releases and kinds of build by default; all of them with --all, which also fetches the toolchains that are
not here. GOLANES_MATRIX: the combinations to try, such as "1.26/pgo 1.19/pie".
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from toolchains import KINDS, VERSIONS, Builder, goroot, run

# By default: the oldest, the newest, and a position-independent one between, whose table has no section.
FEW = ['1.19/plain', '1.24/pie', '1.27/plain']


class Bad(Exception):
    pass


def check(is_so, *what):
    if not is_so:
        raise Bad(' '.join(str(w) for w in what))


class Program:
    """One program and what is asked about it."""

    def __init__(self, o, builder, kind, path):
        self.o, self.b, self.kind, self.path = o, builder, kind, path
        self.stripped = kind in ('strip', 'pie', 'cgopie')

    def ask(self, *words, **more):
        p = run([self.o.ask, self.path, *words], **more)
        check(p.returncode == 0, 'gobin_ask', *words, 'says', p.stderr)
        return p.stdout.splitlines()

    def symbols(self):
        """{name: address} of an unstripped program."""
        found = {}
        for line in run(['nm', self.path]).stdout.splitlines():
            m = re.match(r'([0-9a-f]+) (\w) (.*)', line)
            if m:
                found[m.group(3)] = int(m.group(1), 16)
        return found

    def check_info(self):
        info = dict(line.split(' ', 1) for line in self.ask('info') if ' ' in line)
        self.functions = {}
        for line in self.ask('functions'):
            entry, end, name = line.split(' ', 2)
            self.functions.setdefault(name, []).append((int(entry, 16), int(end, 16)))
        want = {'minor': str(self.b.minor), 'pie': str(int('pie' in self.kind)), 'symbols': str(int(not self.stripped)),
                'dwarf': str(int(not self.stripped)), 'cgo': str(int('cgo' in self.kind)), 'pgo': str(int(self.kind == 'pgo')),
                'mode': 'pie' if 'pie' in self.kind else 'exe', 'race': '0'}
        for key, value in want.items():
            check(info[key] == value, key, 'is', info[key], 'not', value)
        said = self.b.go('version', self.path).stdout.split(': ')[1].strip()
        check(info['version'] == said, info['version'], 'is not', said)
        check(len(self.functions) > 1000, len(self.functions), 'functions')

    def check_functions(self):
        """Each Go function of the symbol table is in the function table, at that address, and the other way round."""
        if self.stripped:
            return
        low = min(e for spans in self.functions.values() for e, _ in spans)
        high = max(e for spans in self.functions.values() for _, e in spans)
        symbols = {}
        for line in run(['nm', self.path]).stdout.splitlines():
            m = re.match(r'([0-9a-f]+) [Tt] (.*)', line)
            if m and low <= int(m.group(1), 16) < high:
                symbols.setdefault(int(m.group(1), 16), set()).add(m.group(2))
        missing = [(hex(entry), name) for name, spans in self.functions.items() for entry, _ in spans
                   if not any(s == name or s.startswith(name + '.abi') or s.replace('..', '.') == name.replace('..', '.')
                              or '[' in name or 'go.shape' in s for s in symbols.get(entry, ()))]
        # Text of C code and a few marks have symbols of other names.
        check(len(missing) <= len(self.functions) // 50, 'functions without a symbol:', missing[:5], len(missing))

    def check_lines(self):
        """Lines and functions against go tool addr2line, at entries and inside."""
        if self.stripped:
            return
        pcs = []
        for i, (name, spans) in enumerate(sorted(self.functions.items())):
            if i % 7 == 0 or name.startswith('main.'):
                entry, end = spans[0]
                pcs += [entry, entry + (end - entry) // 2, entry + (end - entry) // 3]
        text = '\n'.join(f'0x{pc:x}' for pc in pcs) + '\n'
        p = run([f'{self.b.root}/bin/go', 'tool', 'addr2line', self.path], env=self.b.env, input=text)
        want = p.stdout.splitlines()
        bad = seen = 0
        for i, pc in enumerate(pcs):
            frames = self.ask_frames[pc] if pc in self.ask_frames else None
            if frames is None:
                continue
            seen += 1
            outermost, place = frames[-1][0], frames[0][1]
            go_func, go_place = want[2 * i], want[2 * i + 1]
            if not (same_place(go_place, place) and (go_func == outermost or '[' in go_func or go_func.startswith(outermost))):
                bad += 1
                if bad < 4:
                    print(f'  {pc:x}: Go says {go_func} {go_place}, we say {frames}')
        check(bad == 0 and seen > 300, bad, 'of', seen, 'places differ from go tool addr2line')

    def read_frames(self):
        pcs = []
        for i, (name, spans) in enumerate(sorted(self.functions.items())):
            if i % 7 == 0 or name.startswith('main.'):
                entry, end = spans[0]
                pcs += [entry, entry + (end - entry) // 2, entry + (end - entry) // 3]
        self.ask_frames = dict(zip(pcs, self.frames(pcs)))

    def frames(self, pcs):
        """For each address: [(function, file:line, inlined)], innermost first."""
        lines = self.ask('frames', input='\n'.join(f'{pc:x}' for pc in pcs) + '\n')
        out, frames = [], []
        for line in lines:
            inlined = line.endswith(' inlined')
            func, place = (line[:-8] if inlined else line).rsplit(' ', 1) if line != 'none' else ('', '')
            frames.append((func, place, inlined))
            if not inlined:
                out.append(frames)
                frames = []
        check(len(out) == len(pcs), len(pcs), 'addresses asked,', len(out), 'answered')
        return out

    def check_callers(self):
        """The program's own stack, by the runtime's own unwinder; and types by what Go prints of them."""
        p = run([self.path, '-callers'])
        check(p.returncode == 0, 'it exits with', p.returncode)
        said = {'pc': [], 'frame': [], 'type': [], 'entry': []}
        for line in p.stdout.splitlines():
            word, rest = line.split(' ', 1)
            said[word].append(rest)
        entry, name = said['entry'][0].split(' ', 1)
        bias = int(entry, 16) - self.functions[name][0][0]
        check(bias == 0 or 'pie' in self.kind, 'it runs elsewhere by', hex(bias))
        pcs = [int(pc, 16) - bias for pc in said['pc']]
        # For an inlined call the list has an address of its own: a physical frame of n levels takes n entries.
        got, i, answers = [], 0, self.frames([pc - 1 for pc in pcs])
        while i < len(pcs):
            got += answers[i]
            i += len(answers[i])
        want = [f.rsplit(' ', 1) for f in said['frame']]
        check(len(got) == len(want) and len(want) >= 6, len(got), 'frames, not', len(want))
        for k, (func, place, _) in enumerate(got):
            check(func == want[k][0], 'frame', k, 'is', func, 'not', want[k][0])
            check(k == 0 or place == want[k][1], 'frame', k, 'is at', place, 'not', want[k][1])
        check(sum(inlined for _, _, inlined in got) >= 2, 'no inlined frames in', got)
        types = self.ask('types', *[f'{int(t.split(" ")[0], 16) - bias:x}' for t in said['type']])
        check(types == [t.split(' ', 1)[1] for t in said['type']] and len(types) == 4, 'types', types, said['type'])

    def check_inlined(self):
        lines = [line.split() for line in self.ask('inlined', 'main.inner', 'main.middle', 'main.outer', 'runtime.chansend')]
        pairs = {(a, c) for a, _, c in lines}
        check(('main.inner', 'main.outer') in pairs and ('main.middle', 'main.outer') in pairs, 'inlined:', pairs)
        # A profile may move the hot ones of the runtime; then stand-ins are hooked (check_sites).
        never = ('main.outer',) if self.kind == 'pgo' else ('main.outer', 'runtime.chansend')
        check(not [p for p in pairs if p[0] in never], 'inlined:', pairs)

    def check_layout(self):
        lines = self.ask('layout')
        want = 'sources types known' if self.stripped else 'sources types dwarf known'
        check(lines[0] == want, lines[0], 'not', want)
        self.layout = dict(line.split(' ', 1) for line in lines[1:])

    def check_sites(self):
        lines = self.ask('sites')
        probes = {m.group(1): m for m in (re.match(r'probe (\w+) (\w+) sites (\d+) hookable (\d+) inlined (\d+) ?(.*)', line)
                                          for line in lines) if m}
        for name, m in probes.items():
            check(m.group(2) == 'works', name, m.group(2), m.group(6))
        cas = [line.split() for line in lines if line.startswith('site CAS ')]
        least = 8 if self.b.minor >= 26 else 5
        check(len(cas) == least or (self.kind == 'pgo' and least < len(cas) <= least + 6), len(cas), 'compare-and-swaps')
        for name, count in [('CHANSEND_END', 6), ('CHANRECV_END', 8), ('NEWPROC', 1), ('MAKECHAN', 1), ('SELECT_END', 1)]:
            got = int(probes[name].group(3))
            check(got == count or self.kind == 'pgo', name, 'has', got, 'sites, not', count)
        self.check_sites_against_objdump(cas)

    def check_sites_against_objdump(self, cas):
        if self.stripped or not shutil.which('objdump'):
            return
        offset = int(self.layout['g.atomicstatus'])
        want = set()
        in_runtime = False
        with subprocess.Popen(['objdump', '-d', '--no-show-raw-insn', self.path], stdout=subprocess.PIPE, text=True) as p:
            for line in p.stdout:
                if line.endswith('>:\n'):
                    in_runtime = '<runtime.' in line
                elif in_runtime and f'lock cmpxchg %e' in line or in_runtime and re.search(r'lock cmpxchg %r\d+d', line):
                    if f',0x{offset:x}(%r' in line:
                        want.add(int(line.split(':')[0], 16))
        got = {int(c[3], 16) for c in cas}
        check(want <= got, 'objdump finds', [hex(w) for w in want - got])
        check(len(got - want) <= (2 if self.kind == 'pgo' else 0), 'objdump does not find', [hex(g) for g in got - want])

    def check_variables(self):
        got = {k: int(v, 16) for k, v in (line.split() for line in self.ask('vars'))}
        check(all(got.values()), got)
        if self.stripped:
            return
        symbols = self.symbols()
        for name in ('allgs', 'allm', 'allp'):
            check(got[name] == symbols['runtime.' + name], name, hex(got[name]), 'not', hex(symbols['runtime.' + name]))
        check(0 < got['work_cycles'] - symbols['runtime.work'] < 2048, 'work.cycles', hex(got['work_cycles']))

    def check_live(self):
        with subprocess.Popen([self.path, '-wait'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
            check(p.stdout.readline() == 'ready\n', 'it does not begin')
            for _ in range(20):  # it runs while it is looked at
                said = run([self.o.ask, self.path, 'live', str(p.pid)]).stdout.strip()
                if said == 'live':
                    break
                time.sleep(0.05)
            check(said == 'live', said)
            d = run([self.o.golanes, 'doctor', '--strict', str(p.pid)])
            check(d.returncode == 0 and 'make sense' in d.stdout and d.stdout.endswith('can be recorded\n'), d.stdout, d.stderr)
            out = p.communicate('x', timeout=60)[0]
            check(out == 'done\n' and p.returncode == 0, 'after that it says', out)

    def check_recorded(self):
        """Its own operations, all of them, whatever was inlined: 100 jobs sent, 100 answers, two workers, one close."""
        lanes = os.path.join(self.b.work, 'recorded.lanes')
        p = run([self.o.golanes, 'record', '-f', '-q', '-o', lanes, '--', self.path])
        check(p.returncode == 0 and p.stdout == 'done\n', 'recorded, it exits with', p.returncode, p.stdout, p.stderr)
        count = {}
        for name in ('ChanSendBegin', 'ChanSendEnd', 'ChanRecvBegin', 'ChanRecvEnd', 'ChanSelectBegin', 'ChanSelectEnd', 'ChanClose', 'Lost'):
            count[name] = int(run([self.o.golanes, 'events', '-q', '-c', '-t', name, lanes]).stdout)
        os.unlink(lanes)
        # The runtime sends and receives a few times itself, as it begins.
        check(count['Lost'] == 0 and 100 <= count['ChanSendBegin'] <= 110 and 202 <= count['ChanRecvBegin'] <= 212, count)
        check(count['ChanSelectBegin'] == count['ChanSelectEnd'] == 100 and 1 <= count['ChanClose'] <= 4, count)
        check(count['ChanSendBegin'] == count['ChanSendEnd'] and count['ChanRecvBegin'] == count['ChanRecvEnd'], count)

    def check_all(self):
        self.check_info()
        self.read_frames()
        self.check_functions()
        self.check_lines()
        self.check_callers()
        self.check_inlined()
        self.check_layout()
        self.check_sites()
        self.check_variables()
        self.check_live()
        self.check_recorded()


def same_place(go, ours):
    """Go prints ?:0 or a negative line where it has none."""
    go, line = go.rsplit(':', 1)
    return ours == f'{go}:{line}' or int(line) <= 0 or go == '?'


def combinations(all_of_them):
    if os.environ.get('GOLANES_MATRIX'):
        return os.environ['GOLANES_MATRIX'].split()
    return [f'{v}/{k}' for v in VERSIONS for k in KINDS] if all_of_them else FEW


def main():
    a = argparse.ArgumentParser()
    a.add_argument('--ask', required=True)
    a.add_argument('--golanes', required=True)
    a.add_argument('--all', action='store_true')
    o = a.parse_args()
    done = failed = 0
    builders, absent = {}, set()
    with tempfile.TemporaryDirectory() as work:
        for combination in combinations(o.all):
            version, kind = combination.split('/')
            if version not in builders:
                root = goroot(version, o.all)
                builders[version] = Builder(version, root, work) if root else None
            if not builders[version]:
                absent.add(version)
                continue
            began = time.monotonic()
            try:
                path = builders[version].build(kind)
                if path is None:
                    print(f'{combination}: not to be built here')
                    continue
                built = time.monotonic()
                Program(o, builders[version], kind, path).check_all()
                print(f'{combination}: all agrees ({built - began:.0f} s to build, {time.monotonic() - built:.0f} s to check)', flush=True)
                done += 1
                os.unlink(path)
            except Bad as e:
                print(f'{combination}: {e}', flush=True)
                failed += 1
    for version in sorted(absent):
        print(f'no Go {version} here')
    if not done and not failed:
        print('SKIP: there is no Go toolchain here; scripts/go-toolchain VERSION fetches one')
        return 77
    print(f'{done} programs agree, {failed} do not')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
