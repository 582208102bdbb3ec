"""The events of one chunk, decoded as format/FORMAT.md says: sections to events. Part of lanes_reader.py."""
import struct

NONE = 0xffffffff
M64 = (1 << 64) - 1
K = 0x9e3779b97f4a7c15
NOT_KNOWN, WAITS, RUNNABLE, RUNS = range(4)


class Damaged(Exception):
    """The bytes contradict the document: a chunk is lost by itself."""


class In:
    """Bytes that are read from the front."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if n > len(self.data) - self.at:
            raise Damaged('a section ends early')
        self.at += n
        return self.data[self.at - n:self.at]

    def u8(self):
        return self.take(1)[0]

    def i64(self):
        return struct.unpack('<q', self.take(8))[0]

    def leb(self):
        value = shift = 0
        while True:
            b = self.u8()
            if shift == 63 and b > 1:
                raise Damaged('a number above 64 bits')
            value |= (b & 0x7f) << shift
            if b < 0x80:
                return value
            shift += 7

    def num(self):
        b = self.u8()
        if b < 224:
            return b
        if b < 254:
            return 224 + 256 * (b - 224) + self.u8()
        if b == 254:
            raise Damaged('254 in a number')
        value = 7904 + self.leb()
        if value > M64:
            raise Damaged('a number above 64 bits')
        return value

    def difference(self):
        return unzigzag(self.num())

    def nums(self, n):
        return [self.num() for _ in range(n)]

    def steps(self, n, last=0):
        out = []
        for _ in range(n):
            last = (last + self.difference()) & M64
            out.append(last)
        return out

    def empty(self):
        return self.at == len(self.data)


def unzigzag(v):
    return v >> 1 if v & 1 == 0 else -(v >> 1) - 1


class Column:
    """Guesses of which only the wrong ones are stored."""

    def __init__(self, gaps, values):
        self.gaps, self.values = In(gaps), In(values)
        self.next_gap()

    def next_gap(self):
        self.right = None if self.gaps.empty() else self.gaps.num()

    def missed(self):
        """None where the guess is right, else what is stored instead."""
        if self.right is None:
            return None
        if self.right:
            self.right -= 1
            return None
        value = self.values.num()
        self.next_gap()
        return value


def streams(data):
    section = In(data)
    lengths = section.nums(section.num())
    return [section.take(n) for n in lengths]


class Goroutine:
    def __init__(self):
        self.woke, self.stack, self.turn = [0, 0], [0, 0], 0

    def readiness(self):
        return self.turn & 3

    def set(self, readiness):
        self.turn = self.turn & ~3 | readiness


class Lane:
    def __init__(self, thread, n, first):
        self.thread, self.left, self.time = thread, n, first
        self.g, self.p, self.seen = 0, NONE, False
        self.types = self.steps = self.more = None


class Processor:
    def __init__(self, p):
        self.p, self.created, self.next, self.queue = p, 0, (0, 0), []


CONTEXT_ARGS = {(1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (17, 0), (18, 0), (18, 1), (18, 2)}


class Chunk:
    """Decodes an EVENTS chunk."""

    def __init__(self, count, parts, kinds):
        self.count, self.kind = count, kinds
        self.goroutines, self.procs = {}, {}
        self.sites, self.guesses, self.context = [0] * 16384, [0] * 16384, [0] * 256
        self.last, self.step = {}, {}
        self.read_shape(In(parts[1]))
        self.place_lanes(parts[2], In(parts[3]))
        self.read_columns(parts)

    def read_shape(self, shape):
        self.unit = shape.num()
        self.types = {}
        for _ in range(shape.num()):
            code, events, n = shape.u8(), shape.num(), shape.u8()
            self.types[code] = (events, list(shape.take(n & 0x7f)), bool(n & 0x80))
        self.lanes, self.more = [], []
        for _ in range(shape.num()):
            thread, n = shape.num(), shape.num()
            self.more.append(shape.num())
            self.lanes.append(Lane(thread, n, shape.i64()))
        if sum(lane.left for lane in self.lanes) != self.count or sum(t[0] for t in self.types.values()) != self.count:
            raise Damaged('SHAPE counts other events than the chunk')

    def place_lanes(self, types, times):
        gaps, values = times.num(), times.num()
        all_types, all_steps = In(types), In(times.take(self.count))
        for lane in self.lanes:
            lane.types, lane.steps = In(all_types.take(lane.left)), In(all_steps.take(lane.left))
            lane.steps.u8()
        for lane, n in zip(self.lanes, self.more):
            lane.more = In(times.take(n))
        self.order = Column(times.take(gaps), times.take(values))
        self.by_thread = {lane.thread: lane for lane in self.lanes}

    def read_columns(self, parts):
        args = [(code, i) for code in sorted(self.types) for i in range(len(self.types[code][1]))]
        self.columns = {}
        for names, data in ((['p', 'g'] + [a for a in args if a in CONTEXT_ARGS], parts[4]), (['stack'], parts[5]),
                            (['flags'] + [a for a in args if a not in CONTEXT_ARGS], parts[6])):
            found = streams(data)
            if len(found) != 2 * len(names):
                raise Damaged('a section of other columns')
            for i, name in enumerate(names):
                self.columns[name] = Column(found[2 * i], found[2 * i + 1])

    def goroutine(self, g):
        return self.goroutines.setdefault(g, Goroutine())

    def processor(self, p):
        entry = self.procs.get(p % 256)
        if not entry or entry.p != p:
            entry = self.procs[p % 256] = Processor(p)
        return entry

    def advance(self, lane):
        b = lane.steps.u8()
        if b < 224:
            step = b
        elif b < 254:
            step = 224 + 256 * (b - 224) + lane.more.u8()
        elif b == 254:
            step = -lane.more.leb()
        else:
            step = 7904 + lane.more.leb()
        time = (lane.time + step * self.unit) & M64
        lane.time = time - (1 << 64) if time >> 63 else time

    def lanes_in_order(self):
        line = []  # (time, turn, lane): the smallest time, and of equal ones the latest turn
        turn = 0
        for lane in self.lanes:
            line.append((lane.time, turn, lane))
            turn -= 1
        while line:
            entry = min(line, key=lambda e: e[:2])
            named = self.order.missed()
            if named is not None:
                lane = self.lanes[named]
                entry = next(e for e in line if e[2] is lane)
            line.remove(entry)
            lane = entry[2]
            yield lane
            lane.left -= 1
            if lane.left:
                self.advance(lane)
                line.append((lane.time, turn, lane))
                turn -= 1

    def events(self):
        for lane in self.lanes_in_order():
            code, time = lane.types.u8(), lane.time
            _, kinds, has_stack = self.types[code]
            lane.seen = True
            missed = self.columns['p'].missed()
            if missed is not None:
                lane.p = unzigzag(missed) - 1 & 0xffffffff
            missed = self.columns['g'].missed()
            if missed is not None:
                lane.g = lane.g + unzigzag(missed) & M64
            g, p = lane.g, lane.p
            stack = self.stack(g, code) if has_stack else 0
            flags = self.columns['flags'].missed() or 0
            args = []
            for i, kind in enumerate(kinds):
                target = i == 0 and code in (1, 2, 4)
                args.append(self.target(code, g, p) if target else self.argument(code, i, kind, kinds, args, g, lane.thread, stack))
            yield code, time, lane.thread, p, g, args, stack, flags
            self.leave(code, lane, args + [0] * 4)

    def stack(self, g, code):
        s = self.goroutine(g).stack
        at = ((s[0] << 32 ^ s[1] << 8 ^ code) * K & M64) >> 50
        missed = self.columns['stack'].missed()
        stack = self.sites[at] if missed is None else missed
        self.sites[at] = stack
        s[1], s[0] = s[0], stack
        return stack

    def valid(self, pair):
        g = self.goroutine(pair[0])
        return g.turn == pair[1] and g.readiness() == RUNNABLE

    def runs_next(self, proc):
        if self.valid(proc.next):
            return proc.next[0]
        while proc.queue:
            if self.valid(proc.queue[0]):
                return proc.queue[0][0]
            proc.queue.pop(0)
        return 0

    def target(self, code, g, p):
        proc, waker = self.processor(p), self.goroutine(g)
        if code == 1:
            guess = proc.created + 1
        elif code == 2:
            guess = self.runs_next(proc)
        else:
            guess = waker.woke[self.goroutine(waker.woke[0]).readiness() >= RUNNABLE]
        missed = self.columns[code, 0].missed()
        value = guess if missed is None else self.last.get((code, 0), 0) + unzigzag(missed)
        value &= M64
        self.last[code, 0] = value
        goroutine = self.goroutine(value)
        if code == 2:
            goroutine.turn = (goroutine.turn | 3) + 4
            return value
        if code == 4 and waker.woke[0] != value:
            waker.woke = [value, waker.woke[0]]
        if code == 1:
            proc.created = value
        goroutine.set(RUNNABLE)
        if self.valid(proc.next):
            if len(proc.queue) == 256:
                del proc.queue[:128]
            proc.queue.append(proc.next)
        proc.next = (value, goroutine.turn)
        return value

    def argument(self, code, i, kind, kinds, args, g, thread, stack):
        last, step = self.last.get((code, i), 0), self.step.get((code, i), 0)
        col = code << 40 ^ i << 48
        is_a = lambda *names: kind in [self.kind[n] for n in names]

        def entry(x, salt):
            return self.guesses, ((x ^ salt << 56) * K & M64) >> 50
        taught = []
        base = last
        if (code, i) in CONTEXT_ARGS:
            taught = [(self.context, ((col ^ thread) * K & M64) >> 56)]
        elif is_a('chan'):
            taught = [entry(g, 1)] if not stack else [entry(g ^ stack << 32, 1), entry(g, 1)]
        elif is_a('task'):
            taught = [entry(g, 2)]
        elif is_a('count'):
            place = i ^ 3 if code in (24, 31) else i
            taught = [entry(args[0] ^ place << 52, 3) if kinds[0] == self.kind['chan'] else entry(col ^ stack, 5)]
            base = None
        elif is_a('proc', 'thread'):
            taught = [entry(col ^ thread, 4)]
        elif is_a('string'):
            taught = [entry(col ^ stack, 5)]
        elif is_a('stack', 'gstate', 'pstate', 'bool', 'chanresult', 'chandir'):
            taught = [entry(col ^ stack, 5)]
            base = 0
        if taught:
            guess = taught[0][0][taught[0][1]]
        else:
            guess = last + step if is_a('sequence') else last
        missed = self.columns[code, i].missed()
        value = guess if missed is None else (guess if base is None else base) + unzigzag(missed)
        value &= M64
        self.step[code, i] = value - last & M64
        self.last[code, i] = value
        for table, at in taught:
            table[at] = value
        return value

    def leave(self, code, lane, args):
        if code == 2:
            lane.g = args[0]
        elif code == 3:
            self.goroutine(lane.g).set(WAITS)
            lane.g = 0
        elif code in (5, 6) or (code == 8 and args[0]):
            lane.g = 0
        elif code == 16:
            lane.p = args[0] & 0xffffffff
        elif code == 17:
            lane.p = NONE
        elif code == 18:
            other = self.by_thread.get(args[2])
            if other and other.seen:
                other.p = NONE
