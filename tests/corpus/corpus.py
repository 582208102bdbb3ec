#!/usr/bin/env python3
"""Runs golanes over a folder of traces.

    corpus.py summary   --golanes PROGRAM FOLDER    figures equal the reference figures beside the traces
    corpus.py malformed --golanes PROGRAM FOLDER    damaged files behave as their NAME.expect.txt asks
    corpus.py roundtrip --golanes PROGRAM FOLDER    a trace and its .lanes file give the same events, to the byte, and
                                                    of a trace above 1 MB that file is not larger than zstd -3 makes it

A folder's traces are all NAME.trace and NAME.trace.zst below it. Where FOLDER is not there the test skips itself (exit
77). One line is printed for each file that fails, then the counts.
"""
import argparse
import concurrent.futures
import filecmp
import itertools
import os
import re
import resource
import subprocess
import sys
import tempfile
import time

from check_summary import differences, load

SECONDS = 60          # for one command on one file
ADDRESS_SPACE = 2 << 30
EXIT_STRICT, EXIT_INPUT = 1, 3
NO_TRACE = ('not-a-trace',)


class Corpus:
    def __init__(self, program, folder, limits):
        self.program, self.folder, self.limits = program, folder, limits
        found = sorted(os.path.join(d, f) for d, _, names in os.walk(folder) for f in names)
        self.traces = [f for f in found if re.search(r'\.trace(\.zst)?$', f)]

    def run(self, *words, to=os.devnull, seconds=SECONDS):
        """One golanes command: exit status (negative: signal), messages, peak memory in bytes. Output goes to a file, never
        through here: a process starts with its parent's peak memory, so this one has to stay small."""
        def brake():
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            if self.limits:
                resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
        with open(to, 'wb') as out, tempfile.TemporaryFile() as err:
            # preexec_fn is safe here: nothing but two system calls happens in it.
            p = subprocess.Popen((self.program,) + words, stdin=subprocess.DEVNULL, stdout=out, stderr=err, preexec_fn=brake)
            deadline = time.monotonic() + seconds
            pid = 0
            while not pid:
                pid, status, usage = os.wait4(p.pid, os.WNOHANG)
                if not pid and time.monotonic() > deadline:
                    p.kill()
                    pid, status, usage = os.wait4(p.pid, 0)
                elif not pid:
                    time.sleep(0.002)
            p.returncode = os.waitstatus_to_exitcode(status)
            err.seek(0)
            return p.returncode, err.read(65536).decode(errors='replace'), usage.ru_maxrss * 1024

    def name(self, trace):
        return re.sub(r'\.trace(\.zst)?$', '', trace)

    def plain(self, trace, folder):
        """The trace unpacked: what golanes does with packed files is tested elsewhere."""
        if not trace.endswith('.zst'):
            return trace
        path = os.path.join(folder, os.path.basename(trace)[:-len('.zst')])
        subprocess.run(['zstd', '-dqf', trace, '-o', path], check=True)
        return path

    def each(self, check):
        """Runs check(trace, temporary folder) over all traces that it has to do with; prints, counts."""
        def one(trace):
            with tempfile.TemporaryDirectory() as tmp:
                return trace, check(trace, tmp)
        good = bad = left = 0
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for trace, complaints in pool.map(one, self.traces):
                if complaints is None:
                    left += 1
                elif complaints:
                    bad += 1
                    print(f'FAILED {os.path.relpath(self.name(trace), self.folder)}')
                    for line in complaints[:8]:
                        print(f'    {line}')
                    if len(complaints) > 8:
                        print(f'    and {len(complaints) - 8} more')
                else:
                    good += 1
        print(f'{good} files good, {bad} failed, {left} not of this kind, in {self.folder}')
        return 1 if bad or not good else 0

    def summary(self, trace, tmp):
        reference = [f for f in (self.name(trace) + '.oracle.json', self.name(trace) + '.oracle.json.zst') if os.path.exists(f)]
        if not reference:
            return None
        reference = load(reference[0])
        if not reference.get('complete'):
            return None
        path = os.path.join(tmp, 'summary.json')
        status, err, _ = self.run('summary', '--json', self.plain(trace, tmp), to=path)
        if status != 0:
            return [f'exit {status}: {err.strip()[:300]}']
        return differences(reference, load(path))

    def malformed(self, trace, tmp):
        expected = self.name(trace) + '.expect.txt'
        if not os.path.exists(expected):
            return None
        with open(expected, encoding='utf-8') as f:
            lines = f.read().splitlines()
        want = dict(line.split(': ', 1) for line in lines if ': ' in line)
        path = self.plain(trace, tmp)
        out = os.path.join(tmp, 'out')
        complaints = []
        for words in (('summary', '--json'), ('info',), ('events', '--count'), ('events',)):
            complaints += self.judge(' '.join(words), want, path, out, self.run(*words, path, to=out))
        lanes = os.path.join(tmp, 'out.lanes')
        ended = self.run('import', '-o', lanes, path, to=out)
        complaints += self.judge('import', want, path, out, ended)
        if ended[0] == 0:
            status, err, _ = self.run('info', lanes)
            if status != 0:
                complaints.append(f'what import made can\'t be read: exit {status}, {err.strip()[:200]}')
        return complaints + self.judge_strict(want, self.run('summary', '--strict', path)[0])

    def judge(self, what, want, path, out, ended):
        """The parts of an expectation that hold for every command; its output is in the file out."""
        kind = want['class']
        status, err, memory = ended
        bad = []
        limit = 20 * os.path.getsize(path) + (64 << 20)
        if status not in (0, EXIT_INPUT):
            bad.append(f'{what}: exit {status} (negative: a signal, such as that of the time limit): {err.strip()[:200]}')
        if self.limits and memory > limit:
            bad.append(f'{what}: {memory >> 10} KB of memory, above {limit >> 10} KB')
        if status == EXIT_INPUT:
            if not re.match(r'golanes[a-z -]*: \S', err) or len(err.strip().splitlines()) > 3:
                bad.append(f'{what}: refused without one clear sentence: {err.strip()[:200]!r}')
            if os.path.getsize(out) and what != 'events':  # a listing may have begun before the damage
                bad.append(f'{what}: refused, but printed something')
            found = re.search(r'header says (1\.\d+)', want.get('made', ''))
            if found and found.group(1) not in err:
                bad.append(f'{what}: the refusal does not name version {found.group(1)}: {err.strip()[:200]}')
        readable = kind == 'valid' or ('expected' in want and want['expected'].startswith('SUCCESS'))
        if readable and status != 0:
            bad.append(f'{what}: Go reads this file, golanes does not: {err.strip()[:200]}')
        if kind in NO_TRACE and status == 0 and 'gzip' not in want['made']:
            bad.append(f'{what}: took what is not a trace for one')
        if what.startswith('summary') and self.broken(want) and not err.strip():
            bad.append(f'{what}: nothing was said about the damage')
        exact = int(want.get('exact_events', '0').split()[0])
        if what == 'events --count' and status == 0 and exact:
            with open(out, encoding='ascii') as f:
                count = int(f.read())
            if count < exact - int(want.get('syncs', '0')):
                bad.append(f'{what}: {count} events, but {exact} stand in complete generations')
        return bad

    @staticmethod
    def broken(want):
        """True where a reader must notice that something is wrong. Old traces (before Go 1.22) have nothing that a flipped
        bit within a value would contradict: reading on is all that can be asked."""
        only_a_value = re.match(r'bit \d+ of byte \d+ flipped', want.get('made', '')) and re.search(r'go1\.(19|21)$', want['base'])
        return (want['class'] in ('truncated', 'corrupt') and not want.get('go-parser', '').startswith('complete')
                and not only_a_value)

    def judge_strict(self, want, status):
        """--strict: what is whole passes, what is not does not."""
        expected = want.get('expected', '')
        if (want['class'] == 'valid' or expected.startswith('SUCCESS')) and status != 0:
            return [f'summary --strict: exit {status} for a file that is whole']
        refused = want['class'] == 'go-test' and expected.startswith('FAILURE')
        if (self.broken(want) or refused) and status not in (EXIT_STRICT, EXIT_INPUT):
            return [f'summary --strict: exit {status}, though something is missing']
        return []

    def roundtrip(self, trace, tmp):
        path = self.plain(trace, tmp)
        lanes = os.path.join(tmp, 'out.lanes')
        status, err, _ = self.run('import', '-o', lanes, path)
        if status == EXIT_INPUT:
            return None  # no trace; malformed() judges that
        if status != 0:
            return [f'import: exit {status}: {err.strip()[:300]}']
        forms = [('events', '--quiet')]
        if os.path.getsize(path) < 200000:
            forms += [('events', '--quiet', '--json', '--stacks'), ('summary', '--quiet', '--json')]
        bad = self.too_large(path, lanes) if os.path.getsize(path) > 1000000 else []
        said = [os.path.join(tmp, 'before'), os.path.join(tmp, 'after')]
        for form in forms:
            ends = [self.run(*form, f, to=to, seconds=300) for f, to in zip((path, lanes), said)]
            if any(status != 0 for status, _, _ in ends):
                bad.append(f'{" ".join(form)}: exit {ends[0][0]} and {ends[1][0]}: {ends[0][1][:150]} {ends[1][1][:150]}')
            elif form[0] == 'summary':
                bad += self.same_summary(*said)
            elif not filecmp.cmp(*said, shallow=False):
                bad += [f'{" ".join(form)}: differs in'] + self.first_difference(*said)
        return bad

    @staticmethod
    def too_large(path, lanes):
        packed = path + '.3.zst'
        subprocess.run(['zstd', '-q', '-3', path, '-o', packed], check=True)
        ours, theirs = os.path.getsize(lanes), os.path.getsize(packed)
        return [f'{ours} bytes, where zstd -3 makes {theirs} of the trace'] if ours > theirs else []

    @staticmethod
    def first_difference(before, after):
        with open(before, encoding='utf-8', errors='replace') as a, open(after, encoding='utf-8', errors='replace') as b:
            for number, (x, y) in enumerate(itertools.zip_longest(a, b), 1):
                if x != y:
                    return [f'line {number}', f'trace:  {x!r}', f'.lanes: {y!r}']
        return ['how lines end']

    @staticmethod
    def same_summary(before, after):
        """The figures, not what is said of the file that they came from."""
        a, b = load(before), load(after)
        for document in (a, b):
            document.pop('file', None)
        return [f'summary --json: {key} differs: {str(a.get(key))[:150]} and {str(b.get(key))[:150]}'
                for key in sorted(set(a) | set(b)) if a.get(key) != b.get(key)]


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument('check', choices=['summary', 'malformed', 'roundtrip'])
    a.add_argument('folder')
    a.add_argument('--golanes', required=True)
    a.add_argument('--no-limits', action='store_true', help='for sanitized programs, which reserve a lot')
    a.add_argument('--large', action='store_true', help='FOLDER is where the larger corpus usually is: GOLANES_CORPUS goes before')
    o = a.parse_args()
    folder = o.large and os.environ.get('GOLANES_CORPUS') or os.path.normpath(o.folder)
    if not os.path.isdir(folder):
        print(f'SKIP: the larger corpus is not at {folder} (GOLANES_CORPUS names another place); the small one is tested')
        return 77
    # A corpus that brings its own judge is judged by that one.
    judge = os.path.join(folder, 'compare.py')
    if o.check == 'summary' and os.path.exists(judge):
        print(f'{folder}, judged by its own compare.py')
        sys.stdout.flush()
        return subprocess.run([sys.executable, judge, '--all', folder, '--run', f'{o.golanes} summary --json {{}}'],
                              check=False).returncode
    corpus = Corpus(o.golanes, folder, not o.no_limits)
    return corpus.each(getattr(corpus, o.check))


if __name__ == '__main__':
    sys.exit(main())
