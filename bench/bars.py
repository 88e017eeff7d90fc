#!/usr/bin/python3
"""bars.py RAW.TSV: what was measured beside what is wanted, in Markdown. Rows that were not run are left out."""
import csv, math, sys
from statistics import median

CPU, SERVERS = "CPU-bound, CPU time, geometric mean", "servers, CPU a request, geometric mean"
WALL, USED, MEMORY = 4, 5, 6  # columns of a row
BARS = [  # what, under which options, must, aim
    (CPU, "GUARD", 1.05, 1.02), (SERVERS, "GUARD", 1.05, 1.02),
    (CPU, "FIREWALL", 1.30, 1.12), (SERVERS, "FIREWALL", 1.20, 1.08), ("worst single program", "FIREWALL", 2.0, 1.4),
    (CPU, "STRICT", 1.9, 1.4), (SERVERS, "STRICT", 1.4, 1.2),
    (CPU, "LEARN_5", 1.10, 1.06),
    ("start of true, ms", "GUARD", 8, 3), ("start of python3", "GUARD", 3, 1.5), ("fork and exec", "GUARD", 8, 3),
    ("start of true, ms", "FIREWALL", 25, 10), ("start of python3", "FIREWALL", 6, 3), ("fork and exec", "FIREWALL", 15, 6),
    ("memory added to nginx, MB", "GUARD", 8, 4), ("memory added to nginx, MB", "FIREWALL", 25, 12),
]

with open(sys.argv[1]) as f:
    runs = [r for r in csv.reader(f, delimiter="\t") if r and r[0] != "round" and r[3].startswith(("ok", "FAIL:stop"))]
workloads = list(dict.fromkeys(r[1] for r in runs))
servers = {r[1] for r in runs if r[7] != "-"}


def values(workload, name, column):
    return {r[0]: float(r[column]) for r in runs if r[1] == workload and r[2] == name and r[column] not in ("-", "")}


def ratio(workload, name, column):
    """Median of the rounds' pairs; None: not run."""
    native, other = values(workload, "NATIVE", column), values(workload, name, column)
    pairs = [other[r] / native[r] for r in other if native.get(r)]
    return median(pairs) if pairs else None


def mean(name, chosen):
    found = [x for x in (ratio(w, name, USED) for w in chosen) if x]
    return math.exp(sum(map(math.log, found)) / len(found)) if found else None


def measured(what, name):
    bound = [w for w in workloads if w not in servers and not w.startswith("start-") and w != "fork-exec"]
    if what == CPU:
        return mean(name, bound)
    if what == SERVERS:
        return mean(name, servers)
    if what.startswith("worst"):
        return max((x for x in (ratio(w, name, USED) for w in bound) if x), default=None)
    if what.startswith("memory"):
        native, other = values("nginx", "NATIVE", MEMORY), values("nginx", name, MEMORY)
        return (median(other.values()) - median(native.values())) / 1024 if native and other else None
    if what.endswith("ms"):
        times = values("start-true", name, WALL).values()
        return median(times) * 1000 if times else None
    return ratio({"start of python3": "start-python3", "fork and exec": "fork-exec"}[what], name, WALL)


print("\n### beside what is wanted\n\n| | options | measured | must | aim |\n|---|---|---|---|---|")
for what, name, must, aim in BARS:
    x = measured(what, name)
    if x is not None:
        print("| %s | %s | %.2f%s | %g | %g |" % (what, name, x, "" if x <= must else " **over**", must, aim))
