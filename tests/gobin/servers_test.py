#!/usr/bin/env python3
"""golanes doctor on servers as a distribution ships them: stripped, dynamic, with cgo; as files and running.

    servers_test.py --golanes GOLANES

Fetches packages with apt-get into a folder of its own and runs their programs on the loopback interface.
"""
import argparse
import glob
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

SERVERS = {
    'caddy': ['usr/bin/caddy', 'file-server', '--listen', '127.0.0.1:{port}', '--root', '{work}'],
    'nats-server': ['usr/sbin/nats-server', '-a', '127.0.0.1', '-p', '{port}'],
    'docker-registry': ['usr/bin/docker-registry', 'serve', '{work}/registry.yml'],
}
REGISTRY = 'version: 0.1\nstorage: {{filesystem: {{rootdirectory: {work}/registry}}}}\nhttp: {{addr: "127.0.0.1:{port}"}}\n'


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def listens(port, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as s:
            if s.connect_ex(('127.0.0.1', port)) == 0:
                return True
        time.sleep(0.1)
    return False


def fetch(package, work):
    p = subprocess.run(['apt-get', '-q=2', 'download', package], cwd=work, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    debs = glob.glob(os.path.join(work, package + '_*.deb'))
    return p.returncode == 0 and debs and subprocess.run(['dpkg', '-x', debs[0], work], check=False).returncode == 0


def doctor(golanes, what):
    p = subprocess.run([golanes, 'doctor', '--json', what], stdout=subprocess.PIPE, text=True, check=False)
    return p.returncode, json.loads(p.stdout)


def problems(code, d):
    bad = [] if code == 0 and d['recordable'] else [f'exit {code}: {d.get("why")}']
    bad += [f'{e["event"]}: {e["why"]}' for e in d.get('events', []) if not e['seen']]
    return bad


def try_server(golanes, package, words, work):
    port = free_port()
    with open(os.path.join(work, 'registry.yml'), 'w', encoding='utf-8') as f:
        f.write(REGISTRY.format(work=work, port=port))
    program = os.path.join(work, words[0])
    code, d = doctor(golanes, program)
    bad = problems(code, d)
    log = open(os.path.join(work, 'log'), 'wb')
    server = subprocess.Popen([program] + [w.format(work=work, port=port) for w in words[1:]], stdout=log, stderr=log,
                              env=dict(os.environ, HOME=work, OTEL_TRACES_EXPORTER='none'))
    try:
        if not listens(port):
            return bad + ['it does not listen']
        code, d = doctor(golanes, str(server.pid))
        bad += problems(code, d)
        if not bad and not d['process']['memory_checked']:
            bad.append('its memory was not compared')
        if not listens(port, 1):
            bad.append('it does not listen any more')
    finally:
        server.terminate()
        server.wait()
        log.close()
    print(f'{package}: {d["program"]["version"]}, {d["program"]["functions"]} functions, {d["process"]["threads"]} threads: '
          + (', '.join(bad) if bad else 'all events will be seen'), flush=True)
    return bad


def main():
    a = argparse.ArgumentParser()
    a.add_argument('--golanes', required=True)
    o = a.parse_args()
    if not shutil.which('apt-get') or not shutil.which('dpkg'):
        print('SKIP: no apt-get and dpkg here to fetch servers with')
        return 77
    done = failed = 0
    with tempfile.TemporaryDirectory() as work:
        for package, words in SERVERS.items():
            if not fetch(package, work):
                print(f'{package}: can\'t be fetched')
                continue
            bad = try_server(os.path.abspath(o.golanes), package, words, work)
            done += not bad
            failed += bool(bad)
    if not done and not failed:
        print('SKIP: the package archive gives none of ' + ', '.join(SERVERS))
        return 77
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
