/* A bytecode interpreter with computed goto: labels whose addresses stand in a table, absolute and relative.
 * build: -O2
 * build: -O0
 * build: -O2 -no-pie -fno-pie
 * build: -O3 -fno-gcse
 * build: clang -O2
 */
#include "behave.h"

enum { PUSH, ADD, MULTIPLY, DUPLICATE, SWAP, SUBTRACT, JUMP_NONZERO, HALT };

static __attribute__((noinline)) long absolute(const signed char *code)
{
	static void *const table[] = { &&push, &&add, &&multiply, &&duplicate, &&swap, &&subtract, &&jump_nonzero, &&halt };
	long stack[64] = { 0 }, *top = stack, t;

#define NEXT goto *table[(unsigned char)*code++]
	NEXT;
push: *++top = *code++; NEXT;
add: top--; *top += top[1]; NEXT;
multiply: top--; *top *= top[1]; NEXT;
duplicate: top++; *top = top[-1]; NEXT;
swap: t = *top; *top = top[-1]; top[-1] = t; NEXT;
subtract: top--; *top -= top[1]; NEXT;
jump_nonzero: if (*top) code += *code; else code++; NEXT;
halt: return top[-1];
}

static __attribute__((noinline)) long relative(int n)
{
	static const int offsets[] = { &&zero - &&zero, &&one - &&zero, &&two - &&zero, &&three - &&zero };
	long sum = 0;
again:
	goto *(&&zero + offsets[n & 3]);
zero: sum += 1; goto next;
one: sum += 10; goto next;
two: sum += 100; goto next;
three: sum += 1000;
next:
	if (n-- > 0)
		goto again;
	return sum;
}

int main(void)
{
	/* accumulator 1, counter 40: accumulator = accumulator * 3 - counter, counter down to 0 */
	static const signed char program[] = { PUSH, 1, PUSH, 40, SWAP, PUSH, 3, MULTIPLY, PUSH, 7, SUBTRACT, SWAP, PUSH, 1, SUBTRACT,
		JUMP_NONZERO, -12, HALT };
	long result = 0;

	for (int i = 0; i < 1000; i++)
		result += absolute(program);
	printf("%ld %ld\n", result, relative(1001));
	return passed();
}
