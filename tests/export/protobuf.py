"""Protocol buffers, read without a schema: what the tests check the exports with, apart from the program's own encoder."""


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError(f'a varint is too long at {at}')


def fields(data):
    """(number, wire type, value) of each field of a message; bytes are memoryviews."""
    data, at = memoryview(data), 0
    while at < len(data):
        tag, at = varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = varint(data, at)
        elif wire == 1:
            value, at = int.from_bytes(data[at:at + 8], 'little'), at + 8
        elif wire == 2:
            n, at = varint(data, at)
            value, at = data[at:at + n], at + n
            if len(value) != n:
                raise ValueError(f'a field of {n} bytes ends after {len(value)}')
        elif wire == 5:
            value, at = int.from_bytes(data[at:at + 4], 'little'), at + 4
        else:
            raise ValueError(f'wire type {wire} at {at}')
        yield number, wire, value


def numbers(value, wire):
    """A repeated number, packed or not."""
    if wire == 0:
        return [value]
    out, at = [], 0
    while at < len(value):
        number, at = varint(value, at)
        out.append(number)
    return out


def message(data):
    """Number to the list of its values."""
    out = {}
    for number, _, value in fields(data):
        out.setdefault(number, []).append(value)
    return out


def signed(n):
    return n - (1 << 64) if n >> 63 else n


class Profile:
    """pprof's profile.proto: types [(type, unit)], samples [(((func, file, line, address), …), values, labels)]."""

    def __init__(self, data):
        self.strings, types, samples, locations, functions = [], [], [], {}, {}
        for number, wire, value in fields(data):
            if number == 6:
                self.strings.append(bytes(value).decode())
            elif number == 1:
                types.append(message(value))
            elif number == 2:
                samples.append(self._sample(value))
            elif number == 4:
                m = message(value)
                locations[m[1][0]] = (m.get(3, [0])[0], [message(line) for line in m.get(4, [])])
            elif number == 5:
                m = message(value)
                functions[m[1][0]] = m
        if self.strings[:1] != ['']:
            raise ValueError('the first string of a profile is empty')

        def text(m, field):
            return self.strings[m.get(field, [0])[0]]

        def frame(number):
            address, lines = locations[number]
            function = functions[lines[0][1][0]]
            return text(function, 2), text(function, 4), lines[0].get(2, [0])[0], address
        self.types = [(text(t, 1), text(t, 2)) for t in types]
        self.samples = [(tuple(frame(n) for n in stack), tuple(values), {text(m, 1): text(m, 2) for m in labels})
                        for stack, values, labels in samples]

    @staticmethod
    def _sample(data):
        stack, values, labels = [], [], []
        for number, wire, value in fields(data):
            if number == 1:
                stack += numbers(value, wire)
            elif number == 2:
                values += [signed(n) for n in numbers(value, wire)]
            elif number == 3:
                labels.append(message(value))
        return stack, values, labels
