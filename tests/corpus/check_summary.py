"""Compares what `golanes summary --json` says with reference figures.

Both documents are turned into flat facts, {path: value}, by the list of patterns below; the facts must be equal. In a
pattern, `[]` goes through a list by position, `[key]` by a field of its elements, and `**` takes every leaf below. A fact
that is zero, empty or absent is the same as none.
"""
import json
import subprocess

FIGURES = '''
complete
file.header_version
time.raw_end_ns
events.goroutine_transitions.**
events.proc_transitions.**
events.block_reasons.**
events.stop_reasons.**
events.ranges.**
events.labels.**
events.with_stack
goroutine_totals.seen
goroutine_totals.created
goroutine_totals.ended
goroutine_totals.preexisting
goroutine_totals.alive_at_end
goroutine_totals.blocked_forever
goroutine_totals.end_states.**
goroutine_totals.raw_sum.**
goroutines[id].parent
goroutines[id].preexisting
goroutines[id].end_state
goroutines[id].transitions
goroutines[id].raw.**
gc.count
gc.ranges[].raw_start
gc.ranges[].raw_end
gc.ranges[].open_start
gc.ranges[].open_end
stw.count
stw.by_reason.**
stw.ranges[].raw_start
stw.ranges[].raw_end
stw.ranges[].reason
stw.ranges[].g
sweep.count
sweep.bytes_swept
sweep.bytes_reclaimed
mark_assist.count
metrics.**
cpu_samples.count
cpu_samples.with_g
user.task_begin
user.task_end
user.region_begin
user.region_end
user.logs.**
user.logs_by_category.**
user.tasks[id].name
user.tasks[id].parent
user.tasks[id].children
user.regions[type].complete
procs.count
threads.count
stacks.distinct_frames_line
stacks.distinct_funcs
stacks.max_depth
unblocks.total
unblocks.with_operator
unblocks.distinct_pairs
straddles.chan_send_spans_by_raw_time
straddles.chan_send_goroutines_by_raw_time
straddles.by_reason.**
latency.**
'''.split()
# Go's own conversion of old traces can't name every goroutine; where it can, the names must agree.
NAMES = 'goroutines[id].name'


def load(path):
    """A JSON file, packed with zstd or not."""
    if str(path).endswith('.zst'):
        return json.loads(subprocess.run(['zstd', '-dcq', str(path)], check=True, stdout=subprocess.PIPE).stdout)
    with open(path, encoding='utf-8') as f:
        return json.load(f)


def leaves(value, path):
    """Every (path, scalar) below a value."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield from leaves(below, f'{path}/{key}')
    elif isinstance(value, list):
        for i, below in enumerate(value):
            yield from leaves(below, f'{path}/{i}')
    else:
        yield path, value


def select(value, steps, path=''):
    """Every (path, scalar) that a pattern's remaining steps name."""
    if not steps:
        yield from leaves(value, path)
        return
    step, rest = steps[0], steps[1:]
    if step == '**':
        yield from leaves(value, path)
        return
    name, _, key = step.rstrip(']').partition('[')
    value = value.get(name) if isinstance(value, dict) else None
    if not step.endswith(']'):
        if value is not None:
            yield from select(value, rest, f'{path}/{name}')
        return
    for i, element in enumerate(value or []):
        yield from select(element, rest, f'{path}/{name}/{element.get(key) if key else i}')


def facts(document, patterns):
    found = {}
    for pattern in patterns:
        for path, value in select(document, pattern.split('.')):
            if value not in (0, '', None, False):
                found[path] = value
    return found


def differences(reference, got):
    """Lines that say where got differs from reference; empty where it does not."""
    want, have = facts(reference, FIGURES), facts(got, FIGURES)
    names = facts(reference, [NAMES])
    want.update(names)
    have.update({path: name for path, name in facts(got, [NAMES]).items() if path in names})
    return [f'{path}: reference {want.get(path, "(none)")}, golanes {have.get(path, "(none)")}'
            for path in sorted(set(want) | set(have)) if want.get(path) != have.get(path)]
