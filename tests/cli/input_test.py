#!/usr/bin/env python3
"""Where a trace may come from, and what is said of what is none."""
import gzip
import http.server
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

from harness import Case, CUT, DAMAGED, GOLANES, INPUT, INTERRUPTED, V1, V2, main, unpacked


def zstd(data):
    return subprocess.run(['zstd', '-qc'], input=data, stdout=subprocess.PIPE, check=True).stdout


class Forms(Case):
    def test_all_forms_of_a_trace_are_the_same_trace(self):
        for trace in (V1, V2):
            with open(trace, 'rb') as f:
                data = f.read()
            want = self.golanes('events', trace).out
            self.assertGreater(len(want), 1000)
            lanes = self.lanes(trace)
            with open(lanes, 'rb') as f:
                as_lanes = f.read()
            # Names say nothing: all are called x.
            for what, form in [('plain', data), ('gzip', gzip.compress(data)), ('zstd', zstd(data)),
                               ('two gzip members', gzip.compress(data[:999]) + gzip.compress(data[999:])),
                               ('.lanes', as_lanes), ('.lanes in gzip', gzip.compress(as_lanes)), ('.lanes in zstd', zstd(as_lanes))]:
                with self.subTest(trace=trace, what=what):
                    path = self.put('x', form)
                    self.assertEqual(self.golanes('events', path).out, want)
                    with open(path, 'rb') as f:
                        self.assertEqual(self.golanes('events', '-', stdin=f).out, want)
                    p = subprocess.run(f'cat {path} | {GOLANES} events -', shell=True, capture_output=True, check=True)
                    self.assertEqual(p.stdout, want)

    def test_every_reading_command_takes_every_form(self):
        lanes = self.lanes(V2)
        packed = self.put('p.gz', gzip.compress(unpacked('traces/leak-go1.22')))
        for command in ('info', 'summary', 'events'):
            for path in (V2, lanes, packed):
                self.assertTrue(self.golanes(command, path).out)
                self.assertTrue(self.golanes(command, '--json', path).out.startswith(b'{'))

    def test_temporary_files_have_no_name_and_a_place(self):
        where = self.path('t')
        os.mkdir(where)
        packed = self.put('p.gz', gzip.compress(unpacked('traces/leak-go1.22')))
        self.golanes('events', '-c', packed, env={'TMPDIR': where})
        self.assertEqual(os.listdir(where), [])
        r = self.golanes('events', '-c', packed, env={'TMPDIR': self.path('not-there')}, code=INPUT)
        self.assert_refused(r, 'TMPDIR')

    def test_a_damaged_chunk_is_told_by_every_command(self):
        lanes = self.lanes(V2)
        with open(lanes, 'rb') as f:
            data = bytearray(f.read())
        at, size = max((m.start(), int.from_bytes(data[m.start() + 16:m.start() + 24], 'little'))
                       for m in re.finditer(b'\x90GLC\x01\x00', data))
        data[at + 88 + size // 2] ^= 1
        path = self.put('damaged.lanes', data)
        for words in (('events',), ('events', '--json'), ('summary',), ('summary', '--json')):
            r = self.golanes(*words, path)
            self.assertIn('damaged', r.err, words)
            self.golanes(*words, '--strict', path, code=DAMAGED)
        self.assertFalse(json.loads(self.golanes('summary', '--json', path).out)['complete'])

    def test_what_is_no_trace_is_named(self):
        for data, says in [
            (b'', 'is empty'), (b'\0' * 100, 'zeros'), (b'hello\n', 'text'), (b'{"traceEvents":[]}', 'JSON'),
            (b'<!DOCTYPE html><html>', 'HTML'), (open(GOLANES, 'rb').read(4096), 'ELF'), (b'go 1.2', 'header of a Go trace'),
            (gzip.compress(b'something else'), 'gzip'), (b'PK\x03\x04zip', 'zip'),
        ]:
            with self.subTest(says=says):
                path = self.put('x', data)
                for command in (['events'], ['summary'], ['info'], ['summary', '--json'], ['import', '-o', self.path('y')]):
                    self.assert_refused(self.golanes(*command, path, code=INPUT), path, says)
                self.assertFalse(os.path.exists(self.path('y')))

    def test_a_newer_trace_is_refused_by_its_version(self):
        path = self.put('x', b'go 1.99 trace\0\0\0')
        for command in (['events'], ['summary', '--json'], ['import', '-o', self.path('y')]):
            self.assert_refused(self.golanes(*command, path, code=INPUT), '1.99')
        self.assertFalse(os.path.exists(self.path('y')))

    def test_a_binary_must_be_a_go_program(self):
        for binary in ('/bin/sh', V1, self.path('no')):
            r = self.golanes('import', '-o', self.path('y'), '--binary', binary, V1, code=INPUT)
            self.assert_refused(r, binary)
            self.assertFalse(os.path.exists(self.path('y')))

    def test_folders_and_missing_files(self):
        self.assert_refused(self.golanes('events', self.tmp, code=INPUT), 'is a folder')
        self.assert_refused(self.golanes('events', self.path('no'), code=INPUT), 'No such file')
        if os.geteuid() != 0:
            path = self.put('x', b'')
            os.chmod(path, 0)
            self.assert_refused(self.golanes('events', path, code=INPUT), 'Permission denied')


class Damage(Case):
    def test_a_cut_trace_is_read_and_told_of(self):
        for command in ('events', 'summary'):
            r = self.golanes(command, CUT)
            self.assertTrue(r.out)
            self.assertIn('warning', r.err)
            self.assertEqual(self.golanes(command, '--quiet', CUT).err, '')
            self.assertEqual(self.golanes(command, '--strict', CUT, code=DAMAGED).out, r.out)
            self.golanes(command, '--strict', V2)

    def test_a_cut_packing_is_told_of(self):
        packed = gzip.compress(unpacked('traces/leak-go1.22'))
        path = self.put('x.gz', packed[:len(packed) * 2 // 3])
        r = self.golanes('events', '--count', path)
        self.assertIn('gzip', r.err)
        self.golanes('events', '--strict', '--count', path, code=DAMAGED)
        lanes = self.lanes(path)
        self.assertIn('gzip', self.golanes('events', '-c', '-e', '.', lanes).err)
        self.golanes('events', '--strict', '-c', '-e', '.', lanes, code=DAMAGED)

    def test_a_lanes_file_tells_of_damage_as_the_trace_did(self):
        lanes = self.lanes(CUT)
        a, b = (self.golanes('events', f) for f in (CUT, lanes))
        self.assertEqual(a.out, b.out)
        self.assertEqual(a.err.replace(CUT, ''), b.err.replace(lanes, ''))
        self.golanes('info', '--strict', lanes, code=DAMAGED)
        self.golanes('info', '--strict', self.lanes(V2, 'good.lanes'))

    def test_texts_of_a_trace_do_not_reach_the_terminal(self):
        data = unpacked('traces/annot-go1.27').replace(b'makeCappuccino', b'\x1b[2Jmake\x07\xff\xfeabc')
        path = self.put('evil.trace', data)
        text = self.golanes('events', path).out
        self.assertIn(b'make', text)
        self.assertIsNone(re.search(rb'[\x00-\x09\x0b-\x1f\x7f]', text))
        text.decode()
        for line in self.golanes('events', '--json', path).json_lines():
            self.assertIn('t', line)


class Server(http.server.BaseHTTPRequestHandler):
    """As net/http/pprof answers, and as other things do."""
    trace = b''

    def do_GET(self):
        self.server.asked.append(self.path)
        path = self.path.split('?')[0]
        if path == '/debug/pprof/trace':
            self.give(200, self.trace, 'application/octet-stream')
        elif path == '/slow/trace':
            self.send_response(200)
            self.end_headers()
            while not self.server.stop.wait(0.05):
                try:
                    self.wfile.write(b'x')
                except OSError:
                    return
        elif path == '/cut/trace':
            self.send_response(200)
            self.send_header('Content-Length', str(len(self.trace)))
            self.end_headers()
            self.wfile.write(self.trace[:len(self.trace) // 2])
        elif path == '/html/trace':
            self.give(200, b'<html><title>hello</title></html>', 'text/html')
        elif path == '/busy/trace':
            self.give(500, b'Could not enable tracing: tracing is already enabled\n', 'text/plain')
        elif path == '/moved/trace':
            self.send_response(302)
            self.send_header('Location', '/debug/pprof/trace?' + self.path.split('?')[1])
            self.end_headers()
        else:
            self.give(404, b'404 page not found\n', 'text/plain')

    def give(self, code, body, kind):
        self.send_response(code)
        self.send_header('Content-Type', kind)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Http(Case):
    def setUp(self):
        super().setUp()
        Server.trace = unpacked('traces/leak-go1.22')
        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Server)
        self.server.daemon_threads = True
        self.server.asked, self.server.stop = [], threading.Event()
        self.address = f'http://127.0.0.1:{self.server.server_port}'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.addCleanup(self.server.stop.set)

    def golanes(self, *words, **more):
        return super().golanes(*words, env={'no_proxy': '*', 'http_proxy': ''}, **more)

    def test_a_program_is_asked_for_its_trace(self):
        want = self.golanes('events', V2).out
        self.assertEqual(self.golanes('events', self.address).out, want)
        self.assertEqual(self.server.asked, ['/debug/pprof/trace?seconds=5'])
        self.assertEqual(self.golanes('events', '--seconds', '2', self.address + '/debug/pprof/').out, want)
        self.assertEqual(self.server.asked[-1], '/debug/pprof/trace?seconds=2')
        self.golanes('events', self.address + '/moved/trace?seconds=3')
        self.assertEqual(self.server.asked[-1], '/debug/pprof/trace?seconds=3')
        self.assertTrue(self.golanes('summary', self.address).out)
        self.assertTrue(self.golanes(self.address).out)

    def test_import_from_a_program_names_its_file(self):
        self.golanes('import', '-q', self.address, cwd=self.tmp)
        name = f'127.0.0.1-{self.server.server_port}.lanes'
        self.assertEqual(os.listdir(self.tmp), [name])
        self.assertEqual(self.golanes('events', self.path(name)).out, self.golanes('events', V2).out)

    def test_what_goes_wrong_is_said(self):
        for path, says in [('/nothing', 'net/http/pprof'), ('/html/trace', 'HTML'),
                           ('/busy/trace', 'tracing is already enabled')]:
            with self.subTest(path=path):
                self.assert_refused(self.golanes('events', self.address + path, code=INPUT), self.address + path, says)
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            nobody = f'http://127.0.0.1:{s.getsockname()[1]}'
            self.assert_refused(self.golanes('events', nobody, code=INPUT), nobody, 'does the program run')

    def test_a_program_that_dies_leaves_what_it_sent(self):
        r = self.golanes('events', '--count', self.address + '/cut/trace')
        self.assertIn('warning', r.err)

    def test_an_interrupt_ends_the_wait(self):
        out = self.path('x.lanes')
        p = subprocess.Popen([GOLANES, 'import', '-o', out, self.address + '/slow/trace'], stderr=subprocess.PIPE,
                             env={**os.environ, 'no_proxy': '*', 'http_proxy': ''})
        while not self.server.asked:
            time.sleep(0.02)
        time.sleep(0.3)
        p.send_signal(signal.SIGINT)
        _, err = p.communicate(timeout=30)
        self.assertEqual((p.returncode, err), (INTERRUPTED, b''))
        self.assertFalse(os.path.exists(out))


if __name__ == '__main__':
    main()
