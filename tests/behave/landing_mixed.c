/* Landings, continued: instructions of mixed widths, so that any distance between two places occurs; every place entered in every order of two
 * (what the first landing changed must not harm the second); and one place entered often, which must become cheap.
 * build: -O2
 * build: -O2 -static
 * run: pairs
 * run: hot
 * also: flip
 * time: 120
 */
#include "behave.h"

/* Each line: an instruction that adds its number to rax, of 3, 4, 6, 5, 2 and 1 bytes. lodsb counts in rsi; calls stand between. */
#define MIX ".byte 0x83, 0xc0, 1\n" "lodsb\n" ".byte 0x48, 0x83, 0xc0, 1\n" "lodsb\nlodsb\n" ".byte 0x48, 0x05, 1, 0, 0, 0\n" ".byte 0xff, 0xc0\n" "lodsb\n" \
	".byte 0x05, 1, 0, 0, 0\n" ".byte 0xff, 0xc0\n" "call nop_procedure\n" "lodsb\n" ".byte 0xff, 0xc0\n" "call nop_procedure\n" ".byte 0xff, 0xc0\n" "lodsb\n"

long mixed_enter(const void *target, const char *buffer);
extern const char mixed[];
__asm__(".text\n.p2align 4\nnop_procedure: ret\n"
	"mixed:\n" MIX MIX "ret\n"
	".globl mixed_enter\nmixed_enter: push %rsi\nxor %eax, %eax\ncall *%rdi\npop %rcx\nsub %rcx, %rsi\nadd %rsi, %rax\nret\n");

/* Widths in order of MIX; 0 stands for a call (5 bytes, counts nothing). */
static const unsigned char widths[] = { 3, 1, 4, 1, 1, 6, 2, 1, 5, 2, 0, 1, 2, 0, 2, 1 };
enum { ONE = sizeof widths, PLACES = 2 * ONE };
static struct { int offset, counts; } place[PLACES];
static const char buffer[64];

/* lodsb writes al: an instruction of another kind adds to a rax that lodsb has cleared the low byte of. So the expected value is computed. */
static int expected(int from)
{
	unsigned rax = 0, rsi = 0;

	for (int i = from; i < PLACES; i++)
		switch (widths[i % ONE]) {
		case 0: break;
		case 1: rsi++; rax &= ~0xffu; break;
		default: rax++;
		}
	return rax + rsi;
}

static void lay_out(void)
{
	for (int i = 0, offset = 0; i < PLACES; i++) {
		place[i].offset = offset;
		place[i].counts = expected(i);
		offset += widths[i % ONE] ? widths[i % ONE] : 5;
	}
}

static void enter(int i)
{
	long got = mixed_enter(mixed + place[i].offset, buffer);

	if (got != place[i].counts) {
		printf("place %d at %d: %ld, not %d\n", i, place[i].offset, got, place[i].counts);
		exit(99);
	}
}

int main(int argc, char **argv)
{
	lay_out();
	if (!strcmp(argv[1], "pairs")) {
		for (int distance = 1; distance < PLACES; distance++)
			for (int i = 0; i + distance < PLACES; i++) {
				enter(i + distance);
				enter(i);
			}
	} else {
		for (int i = 0; i < PLACES; i++)
			for (int n = 0; n < 20000; n++)
				enter(i);
	}
	return passed();
}
