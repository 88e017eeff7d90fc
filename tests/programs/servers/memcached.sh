#!/bin/bash
# memcached with four threads: twelve clients set and get for a while, and every value that comes back is the one that was set.
# time: 300
# packages: memcached
set -eu
. "$(dirname "$0")/../lib/server.sh"
port=$(free_port)
start memcached -u nobody -l 127.0.0.1 -p "$port" -t 4 -m 16
ready port_open "$port"
/usr/bin/python3 - "$port" <<'SCRIPT'
import socket, sys, threading
port, failed, done = int(sys.argv[1]), [], [0]
def value(k, r): return (b"%d-%d;" % (k, r)) * (10 + k % 60)
def client(n):
    s = socket.create_connection(("127.0.0.1", port)); f = s.makefile("rb")
    for r in range(400):
        k = n * 100 + r % 50; v = value(k, r)
        s.sendall(b"set k%d 0 0 %d\r\n%s\r\nget k%d\r\nincr missing%d 1\r\n" % (k, len(v), v, k, n))
        got = [f.readline(), f.readline(), f.read(len(v) + 2), f.readline(), f.readline()]
        if got[0] != b"STORED\r\n" or got[2] != v + b"\r\n" or got[3] != b"END\r\n" or got[4] != b"NOT_FOUND\r\n": failed.append(got[:2])
        done[0] += 3
threads = [threading.Thread(target=client, args=(n,)) for n in range(12)]
for t in threads: t.start()
for t in threads: t.join()
print(done[0], "operations,", len(failed), "failed", failed[:2])
SCRIPT
finish TERM
echo ok
