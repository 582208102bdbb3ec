#!/usr/bin/env python3
"""Each --json document is what its schema in docs/schema says: checked by a validator of our own for the words that these
schemas use, and by python's jsonschema where that is installed."""
import json
import os

import schema_traces
from harness import SOURCE, main
from written import WrittenCase

try:
    import jsonschema
except ImportError:
    jsonschema = None

FOLDER = os.path.join(SOURCE, 'docs', 'schema')
TYPES = {'object': dict, 'array': list, 'string': str, 'boolean': bool, 'null': type(None), 'integer': int, 'number': (int, float)}
WORDS = {'$schema', 'title', 'description', '$defs', '$ref', 'type', 'properties', 'required', 'additionalProperties', 'items',
         'anyOf', 'const', 'enum', 'minimum'}


def is_type(value, name):
    if isinstance(value, bool):
        return name == 'boolean'
    return isinstance(value, TYPES[name])


def complaints(value, schema, root, path='$'):
    """Lines that say where a value is not what the schema says."""
    if unknown := set(schema) - WORDS:
        return [f'{path}: this check does not know {unknown}']
    if '$ref' in schema:
        return complaints(value, root['$defs'][schema['$ref'].rsplit('/', 1)[1]], root, path)
    if 'anyOf' in schema:
        every = [complaints(value, s, root, path) for s in schema['anyOf']]
        return [] if any(not c for c in every) else min(every, key=len)
    bad = []
    names = schema.get('type', [])
    names = [names] if isinstance(names, str) else names
    if names and not any(is_type(value, n) for n in names):
        return [f'{path}: {type(value).__name__}, not {names}']
    if 'const' in schema and value != schema['const']:
        bad.append(f'{path}: {value!r} is not {schema["const"]!r}')
    if 'enum' in schema and value not in schema['enum']:
        bad.append(f'{path}: {value!r} is none of {schema["enum"]}')
    if 'minimum' in schema and isinstance(value, (int, float)) and value < schema['minimum']:
        bad.append(f'{path}: {value} is too small')
    if isinstance(value, dict):
        known, more = schema.get('properties', {}), schema.get('additionalProperties', True)
        bad += [f'{path}: lacks {k}' for k in schema.get('required', []) if k not in value]
        for k, v in value.items():
            if k in known:
                bad += complaints(v, known[k], root, f'{path}.{k}')
            elif more is False:
                bad.append(f'{path}: {k} is not in the schema')
            elif isinstance(more, dict):
                bad += complaints(v, more, root, f'{path}.{k}')
    if isinstance(value, list) and 'items' in schema:
        for i, v in enumerate(value):
            bad += complaints(v, schema['items'], root, f'{path}[{i}]')
    return bad


class Schemas(WrittenCase):
    def load(self, command):
        with open(os.path.join(FOLDER, command + '.json'), encoding='utf-8') as f:
            return json.load(f)

    def test_every_answer_is_what_its_schema_says(self):
        files = schema_traces.files(self.tmp)
        for command, ways in schema_traces.COMMANDS.items():
            schema = self.load(command)
            if jsonschema:
                jsonschema.Draft202012Validator.check_schema(schema)
            for i, words in enumerate(ways):
                for file in files[i::3]:
                    with self.subTest(command=command, file=file):
                        out = self.run_any(command, [w.replace('FILE', file) for w in words], file)
                        document = json.loads(out)
                        self.assertEqual(complaints(document, schema, schema)[:5], [])
                        if jsonschema:
                            jsonschema.validate(document, schema)

    def run_any(self, command, words, file):
        from harness import run
        return run(command, '--json', '-q', *([] if command == 'check' else ['--top', '5']), *words, file).out

    def test_every_command_of_this_kind_has_a_schema(self):
        self.assertEqual(sorted(f[:-len('.json')] for f in os.listdir(FOLDER) if f.endswith('.json')), sorted(schema_traces.COMMANDS))

    def test_every_member_is_described(self):
        def members(schema, path):
            for key, value in schema.get('properties', {}).items():
                yield f'{path}.{key}', value
                yield from members(value, f'{path}.{key}')
            for inner in [schema.get('items'), schema.get('additionalProperties'), *schema.get('anyOf', []),
                          *schema.get('$defs', {}).values()]:
                if isinstance(inner, dict):
                    yield from members(inner, path)
        for command in schema_traces.COMMANDS:
            every = list(members(self.load(command), command))
            self.assertGreater(len(every), 10)
            self.assertEqual([path for path, value in every if not value.get('description') and '$ref' not in value], [])

    def test_the_check_itself_notices_what_is_wrong(self):
        schema = self.load('pauses')
        good = self.answer('pauses', schema_traces.files(self.tmp)[0])
        self.assertEqual(complaints(good, schema, schema), [])
        for key, value in (('count', 'many'), ('count', None), ('extra', 1), ('by_reason', {'x': {'n': 1}}), ('command', 'other'),
                           ('pauses', [{}]), ('complete', 1)):
            bad = dict(good)
            bad[key] = value
            self.assertNotEqual(complaints(bad, schema, schema), [], key)
        del good['pauses']
        self.assertEqual(complaints(good, schema, schema), ['$: lacks pauses'])


if __name__ == '__main__':
    main()
