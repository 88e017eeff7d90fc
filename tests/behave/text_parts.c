/* A program whose text lies in several segments, with nothing mapped between them; procedures of each call into the others, and computed jumps land in them.
 * build: -O2 -Wl,--section-start=.far=0x800000 -Wl,--section-start=.farther=0xc01000
 * build: -O2 -no-pie -Wl,--section-start=.far=0x800000 -Wl,--section-start=.farther=0xc01000
 * build: -O2 -static -Wl,--section-start=.far=0x2800000
 */
#include "behave.h"

typedef unsigned step(unsigned n, unsigned depth);

static step near_step;
static step __attribute__((section(".far"))) far_step;
static step __attribute__((section(".farther"))) farther_step;
static step *volatile const next[3] = {near_step, far_step, farther_step};

static __attribute__((noinline)) unsigned near_step(unsigned n, unsigned depth)
{
	return depth ? next[n % 3](n * 5 + 1, depth - 1) + 1 : n;
}

static __attribute__((noinline)) unsigned far_step(unsigned n, unsigned depth)
{
	switch (n % 7) {
	case 0: return depth ? near_step(n + 3, depth - 1) : n;
	case 1: return depth ? next[n / 3 % 3](n * 3, depth - 1) ^ 7 : n;
	case 2: return n * 2 + depth;
	case 3: return depth ? farther_step(n / 2, depth - 1) : 1;
	case 4: return n ^ depth;
	case 5: return depth ? near_step(n ^ 5, depth - 1) * 3 : 2;
	default: return depth ? next[n % 2](n - 1, depth - 1) : 3;
	}
}

static __attribute__((noinline)) unsigned farther_step(unsigned n, unsigned depth)
{
	return depth ? far_step(n + depth, depth - 1) - near_step(n, depth / 2) : n;
}

int main(void)
{
	unsigned sum = 0;
	for (unsigned n = 0; n < 20000; n++)
		sum = sum * 31 + next[n % 3](n, n % 13);
	printf("%u\n", sum);
	return passed();
}
