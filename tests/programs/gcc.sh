#!/bin/bash
# gcc compiles, assembles and links a program, and refuses a wrong one; the same object code as natively.
# time: 120
set -eu
cat >program.c <<'C'
#include <stdio.h>
#include <string.h>
struct s { int a, b; long c; char d[16]; struct s *n; };
static int work(struct s *p, int x)
{
	int t = x * 17;
	for (int i = 0; i < x; i++) {
		t += p->a * i ^ t >> 3;
		for (int j = 0; j < 5; j++) p->d[(i + j) & 15] ^= t >> j;
		switch (t & 7) { case 0: p->c += t; break; case 1: p->c -= i; break; case 3: p = p->n ? p->n : p; break; case 5: t *= 3; break; default: t++; }
	}
	return t + (int)strlen(p->d);
}
int main(void) { struct s s = { 1, 2, 3, "abc", 0 }; printf("%d %ld\n", work(&s, 100), s.c); return 0; }
C
for level in -O0 -O2 -O3; do
	$WRAP gcc $level -c -o program.o program.c
	sha256sum program.o
done
$WRAP gcc -O2 -o program program.c
./program
echo 'int main(void) { return missing; }' >wrong.c
status=0
$WRAP gcc -c wrong.c -o wrong.o 2>&1 || status=$?
echo "status $status"
echo ok
