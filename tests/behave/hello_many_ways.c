/* The same small program linked in every way a distribution ships programs.
 * build: -O2 -s
 * build: -O0
 * build: -Os -s
 * build: -O3 -march=x86-64-v2
 * build: -O2 -no-pie -fno-pie -s
 * build: -O2 -static -s
 * build: -O2 -static-pie -s
 * build: -O2 -fcf-protection=none -s
 * build: -O2 -fcf-protection=full -Wl,-z,now
 * build: -O2 -Wl,-z,lazy -fplt
 * build: -O2 -fno-plt
 * build: -O2 -fno-asynchronous-unwind-tables -fno-omit-frame-pointer -s
 * build: -O2 -ffunction-sections -Wl,--gc-sections -falign-functions=1 -falign-loops=1 -falign-jumps=1
 * build: -O2 -fstack-protector-all -D_FORTIFY_SOURCE=2
 * build: -O2 -mindirect-branch=thunk -mfunction-return=thunk -fcf-protection=none
 * build: musl-gcc -O2 -static -s
 * build: musl-gcc -O2 -static-pie -s
 * build: clang -O2 -s
 */
#include "behave.h"
#include <math.h>

static int order(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

int main(int argc, char **argv)
{
	int numbers[] = { 5, 3, 9, 1, 7, 2, 8 };
	char text[64];
	double sum = 0;

	qsort(numbers, 7, sizeof *numbers, order);
	for (int i = 0; i < 7; i++) {
		sum += numbers[i] / 4.0;
		printf("%d ", numbers[i]);
	}
	snprintf(text, sizeof text, "%.3f %s %c %lx", sum, "text", 'c', 0x123456789abcdefUL);
	puts(text);
	switch (argc + strlen(text) % 7) {
	case 0: puts("zero"); break;
	case 1: puts("one"); break;
	case 2: puts("two"); break;
	case 3: puts("three"); break;
	case 4: puts("four"); break;
	case 5: puts("five"); break;
	case 6: puts("six"); break;
	default: puts("many");
	}
	return passed();
}
