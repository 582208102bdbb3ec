#!/usr/bin/env python3
"""A second reader of .lanes files, written from format/FORMAT.md alone and sharing nothing with the library.

    lanes_reader.py FORMAT.md FILE.lanes     prints what golanes events --json --stacks prints

It is slow and plain: it is there to show that the document tells the truth. Names of events, arguments and kinds are taken
from the document's own tables. Needs the shared libraries of zstd and xxhash, which golanes needs too.
"""
import ctypes
import ctypes.util
import json
import re
import struct
import sys

from lanes_chunk import M64, NONE, Chunk, Damaged, In

EVENTS, TABLES, META, KEYFRAME, SUMMARY, GOROUTINES, CHANNELS, PROCESSES, INDEX = range(1, 10)


class Refused(Exception):
    """The file is of a version, or uses a feature, that this reader must not go on with."""


def library(name):
    found = ctypes.util.find_library(name)
    return ctypes.CDLL(found) if found else None


ZSTD, XXHASH = library('zstd'), library('xxhash')
if ZSTD:
    ZSTD.ZSTD_decompress.restype = ctypes.c_size_t
    ZSTD.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
if XXHASH:
    XXHASH.XXH3_64bits.restype = ctypes.c_uint64
    XXHASH.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]


def xxh3(data):
    return XXHASH.XXH3_64bits(data, len(data))


def unpack_frame(data, size):
    out = ctypes.create_string_buffer(size or 1)
    if ZSTD.ZSTD_decompress(out, size, data, len(data)) != size:
        raise Damaged('a zstd frame of another size')
    return out.raw[:size]


class Document:
    """The tables of FORMAT.md."""

    def __init__(self, path):
        with open(path, encoding='utf-8') as f:
            text = f.read()
        self.kinds = {name: int(number) for number, name, _ in self.rows(text, 'kinds')}
        self.events = {}
        for code, name, _, _, _, args, _ in self.rows(text, 'events'):
            self.events[int(code)] = (name, [tuple(a.split(' ')) for a in args.split(', ') if a])

    @staticmethod
    def rows(text, mark):
        block = re.search(rf'<!-- {mark} -->\n(.*?)<!-- end -->', text, re.S).group(1)
        lines = [line for line in block.splitlines() if line.startswith('| ')]
        return [[cell.strip() for cell in re.split(r'(?<!\\)\|', line)[1:-1]] for line in lines[1:]]


def sections(payload):
    n, at = struct.unpack_from('<I', payload)[0], 4
    if n > 32 or len(payload) < 4 + 12 * n:
        raise Damaged('a directory that does not fit')
    data, out = 4 + 12 * n, {}
    for _ in range(n):
        ident, coding, zero, raw, stored = struct.unpack_from('<HBBII', payload, at)
        if zero:
            raise Refused('a section uses a feature of a later version')
        if stored > len(payload) - data or raw > 1 << 28:
            raise Damaged('a section that does not fit')
        if coding > 1:
            raise Refused('a coding of a later version')
        at += 12
        bytes_ = payload[data:data + stored]
        out[ident] = unpack_frame(bytes_, raw) if coding == 1 else bytes_
        data += stored
    return out


class Reader:
    def __init__(self, path, document):
        with open(path, 'rb') as f:
            self.data = f.read()
        self.document = document
        self.strings, self.functions, self.frames = [b''], [(0, 0)], []
        self.stacks, self.threads, self.meta = [[]], [], {}
        self.lost, self.unknown = [], 0
        self.chunks = list(self.walk())
        self.check_index()
        for kind, _, payload in self.chunks:
            if kind in (TABLES, META):
                self.lossy(self.tables if kind == TABLES else self.metas, payload)

    def lossy(self, take, payload):
        try:
            take(In(sections(payload)[1]))
        except Damaged as why:
            self.lost.append(str(why))

    def walk(self):
        """(kind, header, payload) of every chunk that is sound."""
        data = self.data
        if data[:8] != b'\x8fLanes\r\n':
            raise Refused('not a .lanes file')
        major, _, at, zero = struct.unpack_from('<HHIQ', data, 8)
        if major != 1:
            raise Refused(f'major version {major}')
        if struct.unpack_from('<Q', data, 56)[0] != xxh3(data[:56]):
            raise Refused('a damaged file header')
        if zero or not 64 <= at <= 4096:
            raise Refused('a feature of a later version')
        while len(data) - at >= 88:
            header = struct.unpack_from('<4sHHIHHQQQqqQQQQ', data, at)
            magic, kind, _, _, must_be_zero, _, stored = header[:7]
            if magic != b'\x90GLC' or header[14] != xxh3(data[at:at + 80]):
                at = data.find(b'\x90GLC', at + 1)
                if at < 0:
                    return
                continue
            if must_be_zero:
                raise Refused('a chunk uses a feature of a later version')
            payload = data[at + 88:at + 88 + stored]
            if len(payload) < stored:
                return
            if header[13] != xxh3(payload):
                self.lost.append(f'payload at {at}')
            elif kind > INDEX or kind == 0:
                self.unknown += 1
            else:
                yield kind, (at,) + header, payload
            at += 88 + stored

    def check_index(self):
        """Where there is an index, its rows must say what the headers say."""
        end = self.data[-64:]
        self.indexed = end[:8] == b'\x8fLnEnd\r\n' and struct.unpack_from('<Q', end, 56)[0] == xxh3(end[:56])
        offset, size, zero = struct.unpack_from('<QQQ', end, 8) if self.indexed else (0, 0, 0)
        self.indexed = self.indexed and size == len(self.data)
        if not self.indexed:
            return
        assert zero == 0
        kind, _, payload = next(c for c in self.chunks if c[1][0] == offset)
        assert kind == INDEX
        lists, row_size, events = struct.unpack_from('<IIQ', payload)
        assert row_size == 80
        rows = []
        for i in range(lists):
            kind, level, _, n, at = struct.unpack_from('<HHIQQ', payload, 120 + 24 * i)
            reach = None
            for k in range(n):
                row = struct.unpack_from('<QQQQqqqQQII', payload, at + 80 * k)
                reach = row[5] if reach is None else max(reach, row[5])
                assert row[6] == reach
                rows.append((kind, level) + row[:6] + row[7:10])
        headers = [(h[2], h[3], h[0], h[7], h[8], h[9], h[10], h[11], h[12], h[13], h[4]) for kind, h, _ in self.chunks
                   if kind != INDEX]
        assert sorted(rows) == sorted(headers), 'the index and the headers differ'
        assert events == sum(h[4] for kind, h, _ in self.chunks if kind == EVENTS)

    def tables(self, section):
        def begin(table):
            first, n = section.num(), section.num()
            if n and first < len(table):
                raise Damaged('a table that steps back')
            while n and len(table) < first:
                table.append(table[0] if table is not self.frames and table is not self.threads else (0, 0, 0))
            return n
        n = begin(self.strings)
        lengths = section.nums(n)
        self.strings += [section.take(length) for length in lengths]
        n = begin(self.functions)
        self.functions += list(zip(section.steps(n), section.steps(n)))
        n = begin(self.frames)
        self.frames += list(zip(section.steps(n), section.steps(n), section.steps(n)))
        n = begin(self.stacks)
        last = 0
        for length in section.nums(n):
            frames = section.steps(length, last)
            last = frames[-1] if frames else last
            self.stacks.append(frames[::-1])
        n = begin(self.threads)
        tid = process = name = 0
        for _ in range(n):
            tid, process, name = (tid + section.difference(), process + section.difference(), name + section.difference())
            self.threads.append((tid & M64, process, name))

    def metas(self, section):
        while not section.empty():
            key = section.take(section.num()).decode()
            self.meta[key] = section.take(section.num()).decode()

    def text(self, ident):
        return self.strings[ident].decode(errors='surrogateescape') if ident < len(self.strings) else ''

    def events(self):
        for _, events in self.event_chunks():
            yield from events

    def event_chunks(self):
        for kind, header, payload in self.chunks:
            if kind == EVENTS:
                yield header[8], Chunk(header[4], sections(payload), self.document.kinds).events()

    def rows(self, kind):
        """(header, contents of ROWS, sections) of every chunk of a kind, in order."""
        for k, header, payload in self.chunks:
            if k == kind:
                parts = sections(payload)
                yield header, In(parts[1]), parts

    def keyframes(self):
        """(number of the EVENTS chunk, {goroutine: (state, since, reason, stack, creator, created, start stack)})."""
        full = {}
        for header, section, _ in self.rows(KEYFRAME):
            number, first = header[8], header[9]
            n, clock, shift = section.num(), section.i64(), section.u8()
            ids, g = [], 0
            for _ in range(n):
                g += section.num()
                ids.append(g)
            states = section.take(n)
            since = [clock - (section.num() << shift) for _ in range(n)]
            stacks, reasons = section.steps(n), section.nums(n)
            rows = {}
            for i, g in enumerate(ids):
                if states[i] & 0x80:
                    creator, back, start = section.num(), section.num(), section.num()
                    own = creator, None if back == 0 else clock - (back - 1 << shift), start
                else:
                    own = full[first][g][4:]
                rows[g] = (states[i] & 0x7f, since[i], reasons[i], stacks[i]) + own
            full[number] = rows
            yield number, rows

    def summaries(self):
        """(level, number, fields of the node, {code: events}, {goroutine: shares})."""
        names = ('first events gc stw stw_max stw_gc straddles heap_min heap_max goal goroutines lost').split()
        for header, section, parts in self.rows(SUMMARY):
            node = {'from': section.i64(), 'to': section.i64()}
            node.update((name, section.num()) for name in names)
            node['states'] = section.nums(6)
            types = {}
            for _ in range(section.num()):
                code = section.u8()
                types[code] = section.num()
            lanes = In(parts[2])
            n = lanes.num()
            running, runnable, syscall, rest, classes, flags = (lanes.take(n) for _ in range(6))
            shares, g = {}, 0
            for i in range(n):
                g += lanes.num()
                waiting = rest[i] + 255 - running[i] - runnable[i] - syscall[i] & 0xff
                shares[g] = (running[i], runnable[i], waiting, syscall[i], classes[i], flags[i])
            assert n == header[4]
            yield header[3], header[8], node, types, shares

    def goroutine_rows(self):
        """(goroutine, flags, start stack, creator, first chunk, last chunk or None)."""
        for header, section, _ in self.rows(GOROUTINES):
            n = section.num()
            flags, ids, stacks, creators = section.take(n), section.steps(n), section.steps(n), section.steps(n)
            first, last = section.nums(n), section.nums(n)
            for i in range(n):
                yield (ids[i], flags[i], stacks[i], creators[i], header[8] - first[i],
                       None if flags[i] & 2 else header[8] - last[i])

    def channel_rows(self):
        """(address, capacity, goroutine, time, element type, stack)."""
        for _, section, _ in self.rows(CHANNELS):
            n = section.num()
            yield from zip(section.steps(n), section.nums(n), section.steps(n), section.steps(n), section.steps(n), section.steps(n))

    def process_rows(self):
        """(index, pid, name, Go version, parent)."""
        for _, section, _ in self.rows(PROCESSES):
            for _ in range(section.num()):
                yield tuple(section.nums(5))

    # ---- as golanes events --json --stacks prints it -------------------------------------------------------------------

    def stack(self, ident):
        out = []
        for frame in self.stacks[ident]:
            func, line, pc = self.frames[frame]
            name, file = self.functions[func]
            f = {'func': self.text(name)}
            if file:
                f.update(file=self.text(file), line=line)
            if pc:
                f['pc'] = hex(pc)
            out.append(f)
        return out

    def value(self, kind, v):
        words = {'gstate': ('Undetermined', 'NotExist', 'Runnable', 'Running', 'Syscall', 'Waiting'),
                 'pstate': ('Undetermined', 'NotExist', 'Running', 'Idle'), 'bool': (False, True),
                 'chanresult': ('done', 'would block', 'closed', 'panic'), 'chandir': ('default', 'send', 'recv')}
        if v < len(words.get(kind, ())):
            return words[kind][v]
        if kind == 'time':
            return v - (1 << 64) if v >> 63 else v
        if kind == 'string':
            return self.text(v)
        if kind == 'stack':
            return self.stack(v) if v else None
        if kind == 'thread':
            return None if v == NONE else self.threads[v][0]
        if kind == 'proc':
            return None if v == NONE else v
        if kind in ('goroutine', 'chan', 'clock') and v == 0:
            return None
        return hex(v) if kind == 'chan' else v

    def as_json(self, event):
        code, time, thread, p, g, args, stack, flags = event
        name, kinds = self.document.events.get(code, (f'Event{code}', [('number', f'a{i}') for i in range(4)]))
        out = {'t': time, 'name': name}
        if thread != NONE:
            out['m'] = self.threads[thread][0]
        if p != NONE:
            out['p'] = p
        if g:
            out['g'] = g
        if kinds:
            args = args + [0] * len(kinds)
            out['args'] = {name: self.value(kind, v) for (kind, name), v in zip(kinds, args)}
        if stack:
            out['stack'] = self.stack(stack)
        names = [word for bit, word in ((1, 'coroutine'), (2, 'inferred'), (4, 'resync')) if flags & bit]
        if names:
            out['flags'] = names
        return out


def main():
    reader = Reader(sys.argv[2], Document(sys.argv[1]))
    for event in reader.events():
        print(json.dumps(reader.as_json(event)))


if __name__ == '__main__':
    main()
