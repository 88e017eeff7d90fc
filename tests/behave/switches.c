/* Switches of all shapes, which compilers make into jump tables, trees and bit tests.
 * build: -O2
 * build: -O0
 * build: -Os
 * build: -O3 -fno-pie -no-pie
 * build: -O2 -static
 * build: -O2 -fno-jump-tables
 * build: -O2 -mcmodel=large -fno-pie -no-pie
 * build: -O2 -fcf-protection=none -mno-red-zone
 * build: clang -O2
 * build: clang -Os -fno-pie -no-pie
 */
#include "behave.h"

#define DENSE(n) case n: x = x * 3 + n; break;
#define TEN(n) DENSE(n##0) DENSE(n##1) DENSE(n##2) DENSE(n##3) DENSE(n##4) DENSE(n##5) DENSE(n##6) DENSE(n##7) DENSE(n##8) DENSE(n##9)

static __attribute__((noinline)) unsigned dense(unsigned v, unsigned x)
{
	switch (v) {
	TEN(1) TEN(2) TEN(3) TEN(4) TEN(5) TEN(6)
	default: x ^= 0xff;
	}
	return x;
}

static __attribute__((noinline)) unsigned holes(int v, unsigned x)
{
	switch (v) {
	case -5: return x + 1; case -3: x += 2; /* fall through */ case -2: return x * 2; case 0: return x ^ 3; case 1: return x - 4;
	case 4: return dense(12, x); case 5: return dense(64, x); case 7: x++; break; case 8: return ~x; case 11: return x << 1;
	}
	return x;
}

static __attribute__((noinline)) unsigned sparse(unsigned v, unsigned x)
{
	switch (v) {
	case 1: return x + 1; case 100: return x + 2; case 1000: return x * 7; case 10000: return x ^ 4; case 100000: return x - 5;
	case 1000000: return x * 6; case 0x80000000: return x + 9; case 0xffffffff: return x + 11;
	}
	return x + 13;
}

static __attribute__((noinline)) unsigned wide(uint64_t v, unsigned x)
{
	switch (v) {
	case 0x100000000: return x + 1; case 0x100000001: return x * 3; case 0x100000002: return x ^ 5; case 0x100000003: return x - 7;
	case 0x100000004: return x + 9; case 0x100000005: return x * 11; case 0x100000006: return dense(33, x);
	}
	return x;
}

static __attribute__((noinline)) unsigned bytes(const unsigned char *s, unsigned x)
{
	for (; *s; s++)
		switch (*s) {
		case 'a' ... 'f': x = x * 16 + *s - 'a'; break;
		case '0' ... '9': switch (*s & 7) { case 0: x += 5; continue; case 1: x -= 3; continue; case 2: x ^= 9; continue; case 3: x *= 3; continue; case 4: x++; continue; case 5: x--; continue; } break;
		case ' ': case '\t': case '\n': x ^= 1; break;
		case '+': x = dense(x % 80, x); break;
		case '-': x = holes((int)(x % 20) - 6, x); break;
		}
	return x;
}

int main(void)
{
	unsigned x = 1;

	for (unsigned round = 0; round < 2000; round++) {
		x = dense(round % 75, x);
		x = holes((int)(round % 20) - 7, x);
		x = sparse(round % 3 ? 1000 : 0xffffffff, x);
		x = wide(0x100000000 + round % 8, x);
		x = bytes((const unsigned char *)"12 ab+cd-ef 0+9-a\tz-+", x);
	}
	for (int i = 0; i < 80; i++)
		printf("%u ", dense(i, i));
	printf("\n%u\n", x);
	return passed();
}
