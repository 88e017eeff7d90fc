/* x87, SSE and AVX registers and control words live across calls, jumps, first executions and signals.
 * build: -O2
 */
#include "behave.h"
#include <signal.h>

static volatile int handled;
static void handler(int signal) { volatile double x = signal; handled += x * 2 > 3; }

/* Sets st(0..2), xmm0..15 (and the upper halves of ymm if there are any), runs through calls and jumps, and looks at them again. */
long keeps(const double *in, double *out, long avx);
__asm__(".text\n"
	"around: push %rbp\nmov %rsp, %rbp\ntest %edx, %edx\njz 1f\nnop\n1: pop %rbp\nret\n"
	".globl keeps\nkeeps: sub $24, %rsp\nfldl (%rdi)\nfldl 8(%rdi)\nfldl 16(%rdi)\n"
	"movups (%rdi), %xmm0\nmovups 16(%rdi), %xmm7\nmovups (%rdi), %xmm15\n"
	"test %edx, %edx\njz 2f\nvmovups (%rdi), %ymm3\nvmovups 32(%rdi), %ymm12\n"
	"2: call around\nlea 3f(%rip), %rax\njmp *%rax\nud2\n3: call around\nint3\ncall around\n"
	"fstpl (%rsi)\nfstpl 8(%rsi)\nfstpl 16(%rsi)\nmovups %xmm0, 32(%rsi)\nmovups %xmm7, 48(%rsi)\nmovups %xmm15, 64(%rsi)\n"
	"test %edx, %edx\njz 4f\nvmovups %ymm3, 96(%rsi)\nvmovups %ymm12, 128(%rsi)\nvzeroupper\n"
	"4: stmxcsr (%rsp)\nfnstcw 4(%rsp)\nmov (%rsp), %eax\nshl $32, %rax\nmov 4(%rsp), %cx\nmov %cx, %ax\nadd $24, %rsp\nret\n");

int main(void)
{
	double in[8] = { 1.5, -2.25, 3.125, 1e300, -7e-300, 6, 7, 8 }, out[24];
	unsigned mxcsr = 0x1f80 | 0x6000;        /* round towards zero */
	unsigned short control = 0x0f7f;         /* likewise */
	long avx = __builtin_cpu_supports("avx");

	signal(SIGTRAP, handler);
	for (int i = 0; i < 100; i++) {
		memset(out, 0, sizeof out);
		__asm__ volatile("ldmxcsr %0\nfldcw %1" : : "m"(mxcsr), "m"(control));
		long words = keeps(in, out, avx);
		CHECK((words >> 32 & 0xffc0) == (mxcsr & 0xffc0) && (words & 0xffff) == control);
		CHECK(out[0] == in[2] && out[1] == in[1] && out[2] == in[0]);
		CHECK(!memcmp(out + 4, in, 16) && !memcmp(out + 6, in + 2, 16) && !memcmp(out + 8, in, 16));
		CHECK(!avx || (!memcmp(out + 12, in, 32) && !memcmp(out + 16, in + 4, 32)));
	}
	CHECK(handled == 100);
	return passed();
}
