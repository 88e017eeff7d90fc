#!/bin/bash
# CPython: objects, exceptions, regular expressions, threads, subprocesses, compression, sqlite and ctypes callbacks.
# time: 120
set -eu
cat >program.py <<'SCRIPT'
import ctypes, hashlib, json, re, sqlite3, subprocess, sys, threading, zlib
class Node:
    def __init__(self, v): self.v, self.children = v, []
    def __add__(self, o): return Node(self.v + o.v)
def tree(n): node = Node(n); node.children = [tree(n - 1) for _ in range(3)] if n else []; return node
def walk(t): return t.v + sum(walk(c) for c in t.children)
print(walk(tree(7)), sum((Node(i) + Node(1)).v for i in range(20000)))
caught = 0
for i in range(3000):
    try: [][i] if i % 2 else {}["x"]
    except LookupError as e: caught += len(str(e))
print(caught, len(re.findall(r"(\w+)-(?=\d)", "ab-1 cd-x ef-2 " * 2000)))
print(hashlib.sha256(json.dumps([{"i": i, "t": str(i) * 3} for i in range(5000)]).encode()).hexdigest())
total, lock = [0], threading.Lock()
def add():
    for _ in range(2000):
        with lock: total[0] += 1
threads = [threading.Thread(target=add) for _ in range(8)]
for t in threads: t.start()
for t in threads: t.join()
print(total[0], subprocess.run(["/bin/echo", "child"], capture_output=True).stdout)
data = bytes(range(256)) * 500
assert zlib.decompress(zlib.compress(data, 9)) == data
db = sqlite3.connect(":memory:"); db.execute("create table t(a, b)"); db.executemany("insert into t values(?, ?)", [(i, i * i % 97) for i in range(2000)])
print(db.execute("select b, count(*) from t group by b order by 2 desc, 1 limit 3").fetchall())
libc = ctypes.CDLL(None); values = (ctypes.c_int * 9)(5, 3, 9, 1, 7, 2, 8, 6, 4)
compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))(lambda a, b: a[0] - b[0])
libc.qsort(values, 9, 4, compare); print(list(values))
def deep(n): return 0 if n == 0 else 1 + deep(n - 1)
try: deep(10 ** 6)
except RecursionError: print("recursion")
gen = (x * y for x in range(300) for y in range(100) if (x ^ y) & 3 == 1); print(sum(gen))
sys.exit(3)
SCRIPT
status=0
$WRAP /usr/bin/python3 -I program.py || status=$?
echo "status $status"
echo ok
