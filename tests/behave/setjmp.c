/* setjmp and longjmp through many frames, with registers that must survive, also out of a callback of libc's. */
#include "behave.h"
#include <setjmp.h>

static jmp_buf back;

static __attribute__((noinline)) int deeper(int n)
{
	volatile int here = n;

	if (!n)
		longjmp(back, 42);
	return deeper(n - 1) + here;
}

static int escaping(const void *a, const void *b)
{
	if (*(const int *)a == 3 || *(const int *)b == 3)
		longjmp(back, 3);
	return *(const int *)a - *(const int *)b;
}

int main(int argc, char **argv)
{
	int numbers[] = { 9, 8, 7, 6, 5, 4, 3, 2, 1 }, a = argc + 1, b = argc + 2, c = argc + 3, d = argc + 4;
	volatile int rounds = 0;

	for (rounds = 0; rounds < 1000; rounds++) {
		int got = setjmp(back);
		if (!got)
			deeper(rounds % 100);
		CHECK(got == 42 && a == 2 && b == 3 && c == 4 && d == 5);
	}
	if (!setjmp(back)) {
		qsort(numbers, 9, sizeof *numbers, escaping);
		CHECK(!"not reached");
	}
	return passed();
}
