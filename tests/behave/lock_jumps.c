/* A jump over the lock prefix into the instruction behind it, as C libraries do when there is one thread; and overlapping instructions.
 * build: -O2
 * build: -O2 -static
 */
#include "behave.h"

static __attribute__((noinline)) long add(long *where, long amount, int locked)
{
	__asm__ volatile("test %[locked], %[locked]\n\tje 1f\n\tlock\n1:\txaddq %[amount], %[where]"
		: [amount] "+r"(amount), [where] "+m"(*where) : [locked] "r"(locked) : "cc", "memory");
	return amount;
}

/* Entered at its first byte it loads a constant; entered behind the opcode, the constant is code:
 *   b8 48 ff c7 90   mov $0x90c7ff48, %eax     |  +1: 48 ff c7  inc %rdi;  90  nop
 */
long overlapping(long);
__asm__(".text\n.globl overlapping\noverlapping: .byte 0xb8, 0x48, 0xff, 0xc7, 0x90\nmov %rdi, %rax\nret\n");

int main(void)
{
	long (*volatile inner)(long) = (long (*)(long))((uintptr_t)overlapping + 1);
	long value = 0, sum = 0;

	for (int i = 0; i < 2000; i++) {
		sum += add(&value, i, i % 2);
		CHECK(overlapping(i) == i);
		CHECK(inner(i) == i + 1);
	}
	printf("%ld %ld\n", value, sum);
	return passed();
}
