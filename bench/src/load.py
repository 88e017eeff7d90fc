import json, re, sys, hashlib
n = int(sys.argv[1])
class Node:
    __slots__ = ("k", "l", "r", "v")
    def __init__(self, k, v): self.k, self.v, self.l, self.r = k, v, None, None
def put(root, k, v):
    if root is None: return Node(k, v)
    n = root
    while True:
        if k == n.k: n.v += v; return root
        if k < n.k:
            if n.l is None: n.l = Node(k, v); return root
            n = n.l
        else:
            if n.r is None: n.r = Node(k, v); return root
            n = n.r
x, root, h = 12345, None, hashlib.md5()
def gen(m):
    global x
    for _ in range(m):
        x = (x * 1103515245 + 12345) & 0x7fffffff
        yield x
for r in range(n):
    for v in gen(3000): root = put(root, v % 5000, v & 7)
    rec = [{"id": v, "name": "n%d" % (v % 997), "tags": [str(v % i) for i in range(1, 6)]} for v in gen(300)]
    s = json.dumps(rec); t = json.loads(s)
    words = re.findall(r'"n(\d+)"', s)
    d = {}
    for w in words: d[w] = d.get(w, 0) + 1
    top = sorted(d.items(), key=lambda p: (-p[1], p[0]))[:5]
    try: {}["missing"]
    except KeyError as e: top.append(str(e))
    h.update(repr(top).encode()); h.update(("%.6f" % sum(q["id"] ** 0.5 for q in t)).encode())
def walk(n): return 0 if n is None else walk(n.l) + n.v + walk(n.r)
sys.setrecursionlimit(20000)
print(h.hexdigest(), walk(root))
