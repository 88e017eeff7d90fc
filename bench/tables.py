#!/usr/bin/python3
"""tables.py RAW.TSV: the tables of ratios to native, in Markdown."""
import csv, math, sys
from statistics import median
rows = [r for r in csv.reader(open(sys.argv[1]), delimiter="\t") if r and r[0] != "round"]
W, N, D = [], [], {}
for rd, w, n, st, wall, cpu, mem, rps, p99, ready in rows:
    if w not in W: W.append(w)
    if n not in N: N.append(n)
    f = lambda s: None if s in ("-", "") else float(s)
    D.setdefault((w, n), {})[rd] = (st, f(wall), f(cpu), f(mem), f(rps), f(p99), f(ready))
isrv = lambda w: any(v[4] is not None for (a, n), d in D.items() if a == w for v in d.values())
group = lambda w: "servers" if isrv(w) else "start-up" if w.startswith("start-") else "CPU"
def ok(w, n): return {r: v for r, v in D.get((w, n), {}).items() if v[0] == "ok" or v[0] == "FAIL:stop"}
def fails(w, n): return sorted({v[0] for v in D.get((w, n), {}).values() if v[0] != "ok"})
def ratios(w, n, i):
    a, b = ok(w, n), ok(w, "NATIVE")
    return [a[r][i] / b[r][i] for r in a if r in b and a[r][i] is not None and b[r][i]]
def med(w, n, i):
    x = [v[i] for v in ok(w, n).values() if v[i] is not None]
    return median(x) if x else None
def cell(w, n, i):
    x = ratios(w, n, i); f = fails(w, n); s = ""
    if x: s = "%.2f" % median(x) + (" (%.2f-%.2f)" % (min(x), max(x)) if len(x) > 1 else "")
    if f: s = (s + " " + ",".join(f)).strip()
    return s or "-"
def table(title, nat, i, ws, fmt, abs_cells=False):
    print("\n### " + title + "\n")
    print("| workload | NATIVE | " + " | ".join(n for n in N if n != "NATIVE") + " |")
    print("|" + "---|" * (len(N) + 1))
    for w in ws:
        m = med(w, "NATIVE", nat)
        c = [cell(w, n, i) if not abs_cells else ("%s" % fmt(med(w, n, i)) if med(w, n, i) is not None else "-") for n in N if n != "NATIVE"]
        nf = fails(w, "NATIVE")
        print("| %s | %s%s | %s |" % (w, fmt(m) if m is not None else "-", " " + ",".join(nf) if nf else "", " | ".join(c)))
    if not abs_cells:
        for g in ("servers", "CPU", "start-up"):
            gw = [w for w in ws if group(w) == g]
            if len(gw) < 2: continue
            c = []
            for n in N:
                if n == "NATIVE": continue
                x = [median(ratios(w, n, i)) for w in gw if ratios(w, n, i)]
                c.append("**%.2f**" % math.exp(sum(map(math.log, x)) / len(x)) + ("" if len(x) == len(gw) else " (%d of %d)" % (len(x), len(gw))) if x else "-")
            print("| **geomean %s** | | %s |" % (g, " | ".join(c)))
srv = [w for w in W if group(w) == "servers"]; rest = [w for w in W if group(w) != "servers"]
g = lambda v: "%.4g" % v
if srv:
    print("\nServers: NATIVE in requests/s, others native throughput / its throughput: 2 is half the throughput. Median of the rounds' pairs (min-max).")
    print("\n### server throughput (native ÷ wrapper)\n\n| workload | NATIVE req/s | " + " | ".join(n for n in N if n != "NATIVE") + " |\n|" + "---|" * (len(N) + 1))
    for w in srv: print("| %s | %s | %s |" % (w, "%.0f" % (med(w, "NATIVE", 4) or 0), " | ".join(cell(w, n, 1) for n in N if n != "NATIVE")))
    c = []
    for n in N:
        if n == "NATIVE": continue
        x = [median(ratios(w, n, 1)) for w in srv if ratios(w, n, 1)]
        c.append("**%.2f**%s" % (math.exp(sum(map(math.log, x)) / len(x)), "" if len(x) == len(srv) else " (%d of %d)" % (len(x), len(srv))) if x else "-")
    print("| **geomean** | | %s |" % " | ".join(c))
    table("server CPU time per request (NATIVE µs, others ratio)", 2, 2, srv, g)
    table("server p99 latency (ms)", 5, 5, srv, g, True)
    table("server start to first accept (s)", 6, 6, srv, g, True)
if rest:
    table("wall time (NATIVE s, others ratio)", 1, 1, rest, g)
    table("CPU time (NATIVE s, others ratio)", 2, 2, rest, g)
table("memory (MB: servers PSS of all processes after the load, else peak RSS of the largest process)", 3, 3, W, lambda v: "%.1f" % (v / 1024), True)
bad = [(w, n, fails(w, n)) for w in W for n in N if fails(w, n)]
print("\nFailures: " + ("none" if not bad else "; ".join("%s under %s: %s" % (w, n, ",".join(f)) for w, n, f in bad)))
