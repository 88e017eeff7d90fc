#!/bin/bash
# nats-server (Go): clients publish and subscribe; every message arrives, in order; a stream keeps them over a restart.
# time: 300
# packages: nats-server
set -eu
. "$(dirname "$0")/../lib/server.sh"
port=$(free_port)
start nats-server -a 127.0.0.1 -p "$port" -js -sd "$PWD/js"
ready port_open "$port"
/usr/bin/python3 - "$port" <<'SCRIPT'
import json, socket, sys, threading
port = int(sys.argv[1])
class Client:
    def __init__(self):
        self.s = socket.create_connection(("127.0.0.1", port), timeout=60); self.f = self.s.makefile("rb"); self.f.readline()
        self.say(b'CONNECT {"verbose":false}\r\nPING\r\n'); assert self.f.readline() == b"PONG\r\n"
    def say(self, b): self.s.sendall(b)
    def message(self):
        while True:
            w = self.f.readline().split()
            if w[0] == b"MSG": return w[1], self.f.read(int(w[-1]) + 2)[:-2]
            if w[0] == b"PING": self.say(b"PONG\r\n")
    def ask(self, subject, body=b""):
        self.say(b"SUB inbox 9\r\nUNSUB 9 1\r\nPUB %s inbox %d\r\n%s\r\n" % (subject, len(body), body)); return self.message()[1]
subscribers = [Client() for _ in range(8)]
for s in subscribers: s.say(b"SUB load.> 1\r\nPING\r\n"); assert s.f.readline() == b"PONG\r\n"
got = [[] for _ in subscribers]
def take(n):
    for _ in range(4 * 2000): got[n].append(subscribers[n].message())
def publish(n):
    c = Client()
    for i in range(2000): body = b"%d:" % i + b"x" * (i % 300); c.say(b"PUB load.%d %d\r\n%s\r\n" % (n, len(body), body))
    c.say(b"PING\r\n"); c.f.readline()
threads = [threading.Thread(target=take, args=(n,)) for n in range(8)] + [threading.Thread(target=publish, args=(n,)) for n in range(4)]
for t in threads: t.start()
for t in threads: t.join()
ordered = all([b for s, b in g if s == b"load.%d" % n] == [b"%d:" % i + b"x" * (i % 300) for i in range(2000)] for g in got for n in range(4))
print(sum(map(len, got)), "messages, in order:", ordered)
c = Client()
made = json.loads(c.ask(b"$JS.API.STREAM.CREATE.S", json.dumps({"name": "S", "subjects": ["kept.>"], "storage": "file"}).encode())); print(made["config"]["name"])
for i in range(300): c.ask(b"kept.%d" % i, b"v%d" % i)
print(json.loads(c.ask(b"$JS.API.STREAM.INFO.S"))["state"]["messages"])
SCRIPT
finish TERM
start nats-server -a 127.0.0.1 -p "$port" -js -sd "$PWD/js"
ready port_open "$port"
/usr/bin/python3 -c 'import json, socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60); f = s.makefile("rb"); f.readline()
s.sendall(b"CONNECT {\"verbose\":false}\r\nSUB inbox 1\r\nPUB $JS.API.STREAM.INFO.S inbox 0\r\n\r\n"); n = int(f.readline().split()[-1]); print(json.loads(f.read(n))["state"]["messages"])' "$port"
finish TERM
echo ok
