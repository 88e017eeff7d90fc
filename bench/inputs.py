#!/usr/bin/python3
"""inputs.py FOLDER: make the workloads' inputs, the same on every machine."""
import random, struct, sys
d = sys.argv[1]; R = random.Random(42)
voc = ["".join(R.choice("etaoinshrdlucmfwypvbgkjqxz"[: R.randint(4, 26)]) for _ in range(R.randint(2, 11))) for _ in range(20000)]
import itertools
wt = list(itertools.accumulate(1.0 / (i + 3) for i in range(len(voc))))
with open(d + "/mix30", "wb") as f:
    left = 30 * 1000 * 1000
    while left > 0:
        t = " ".join(R.choices(voc, cum_weights=wt, k=30000))
        b = "\n".join(t[i : i + 90] for i in range(0, len(t), 90)).encode()
        b += b"".join(struct.pack("<IHHd", i, R.getrandbits(16), i % 7, R.random()) for i in range(3000))
        f.write(b[:left]); left -= len(b)
with open(d + "/lines", "w") as f:
    for i in range(900000): f.write("%x %s %s %d\n" % (R.getrandbits(40), R.choice(voc), R.choice(voc), i))
with open(d + "/text", "w") as f:
    for i in range(400000): f.write(" ".join(R.choices(voc, cum_weights=wt, k=9)) + " %d\n" % R.getrandbits(20))
def cfile(name, n):
    with open(name, "w") as f:
        f.write("#include <stdio.h>\n#include <string.h>\n#include <stdlib.h>\nstruct s { int a, b; long c; char d[16]; struct s *n; };\nextern int ext(int, struct s *);\n")
        for i in range(n):
            a, b, c = R.randint(1, 99), R.randint(1, 99), R.randint(2, 9)
            f.write(f"static int f{i}(struct s *p, int x) {{\n  int i, j, t = x * {a};\n  for (i = 0; i < x; i++) {{\n    if ((t ^ i) % {c} == 1) t += p->a * i; else t -= p->b + {b};\n"
                    f"    for (j = 0; j < {c}; j++) p->d[(i + j) & 15] ^= t >> j;\n    switch (t & 7) {{ case 0: p->c += t; break; case 1: p->c -= i; break; case 2: t = ext(t, p); break; case 3: p = p->n ? p->n : p; break; case 5: t *= {b}; break; default: t++; }}\n  }}\n"
                    + (f"  if (x > {b}) t += f{R.randrange(i)}(p, x - {c});\n" if i else "") + f"  return t + (int)strlen(p->d);\n}}\n")
        f.write("int (*tab[])(struct s *, int) = {" + ", ".join(f"f{i}" for i in range(n)) + "};\n")
cfile(d + "/gen.c", 420); cfile(d + "/genq.c", 100)
def sql(name, n):
    open(name, "w").write(f"""
create table t(id integer primary key, k integer, g integer, s text, r real);
with recursive c(i, x) as (select 1, 12345 union all select i + 1, (x * 1103515245 + 12345) & 2147483647 from c where i < {n})
  insert into t select i, x % 100003, (x >> 8) % 97, 'row-' || (x % 5003) || '-' || hex(x), x / 7.0 from c;
create index tk on t(k); create index ts on t(s);
select count(*), sum(k), round(avg(r), 3) from t;
select g, count(*), max(s), sum(length(s)) from t group by g order by 3, 1 limit 10;
select count(*) from t a join t b on a.k = b.k and a.id < b.id;
select count(*) from t where s like '%9A%7%';
select substr(s, 1, 7) p, count(*) c from t group by p order by c desc, p limit 5;
update t set k = (k * 31 + id) % 100003 where id % 3 = 0;
delete from t where id % 11 = 5;
select sum(k), count(distinct k), min(s), max(r) from t;
with recursive f(i, a, b) as (select 0, 0, 1 union all select i + 1, b, (a + b) % 1000000007 from f where i < {n * 2}) select max(i), sum(a) from f;
select id, rank() over (partition by g order by r desc) w from t order by w desc, id limit 5;
pragma integrity_check;
""")
sql(d + "/load.sql", 600000); sql(d + "/loadq.sql", 150000)
open(d + "/www/1k.html", "w").write("".join(R.choice(voc)[:7] + " " for _ in range(400))[:1024])
for i in range(200): open(d + "/www/f%03d.html" % i, "w").write("x" * 100)
