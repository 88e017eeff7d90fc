/* Calls and returns that compilers don't make but hand-written assembly does: call over the next instruction, return addresses popped, moved,
 * skipped over or pushed by hand, a retpoline, another stack, two returns at once.
 * build: -O2
 * build: -O2 -no-pie -fno-pie
 * build: -O2 -static
 * build: -O2 -DWITH_CFI
 */
#include "behave.h"

#ifdef WITH_CFI
#define PROCEDURE(name) ".globl " #name "\n.type " #name ", @function\n" #name ":\n.cfi_startproc\n"
#define END(name) ".cfi_endproc\n.size " #name ", . - " #name "\n"
#else
#define PROCEDURE(name) ".globl " #name "\n" #name ":\n"
#define END(name) ""
#endif

long call_pop(void), pop_jump(long), inline_data(long), push_return(long), retpoline(long (*)(long), long), other_stack(long, void *),
     double_return(long), call_through_memory(long (**)(long), long), return_n(long), back_to_back(long), increment(long);

__asm__(".text\n"
	PROCEDURE(increment) "lea 1(%rdi), %rax\nret\n" END(increment)
	/* Where am I? The address of the label, by call and pop. */
	PROCEDURE(call_pop) "call 1f\n1: pop %rax\nlea 1b(%rip), %rcx\nsub %rcx, %rax\nret\n" END(call_pop)
	PROCEDURE(pop_jump) "lea 5(%rdi), %rax\npop %rcx\njmp *%rcx\n" END(pop_jump)
	/* The callee reads eight bytes of data behind the call and returns behind them. */
	PROCEDURE(inline_data) "call 2f\n.quad 1000\nadd %rdi, %rax\nret\n2: pop %rcx\nmov (%rcx), %rax\nadd $8, %rcx\npush %rcx\nret\n" END(inline_data)
	PROCEDURE(push_return) "lea 3f(%rip), %rax\npush %rax\nlea 7(%rdi), %rax\nret\nud2\n3: add $100, %rax\nret\n" END(push_return)
	PROCEDURE(retpoline) "mov %rdi, %r11\nmov %rsi, %rdi\ncall 5f\n4: pause\nlfence\njmp 4b\n5: mov %r11, (%rsp)\nret\n" END(retpoline)
	PROCEDURE(other_stack) "push %rbx\nmov %rsp, %rbx\nmov %rsi, %rsp\ncall increment\nmov %rbx, %rsp\npop %rbx\nret\n" END(other_stack)
	PROCEDURE(double_return) "call 6f\nud2\n6: lea 9(%rdi), %rax\nadd $8, %rsp\nret\n" END(double_return)
	PROCEDURE(call_through_memory) "push %rdi\nmov %rsi, %rdi\nmov (%rsp), %rax\ncall *(%rax)\npop %rcx\nadd $2, %rax\nret\n" END(call_through_memory)
	PROCEDURE(return_n) "push %rdi\npush %rdi\ncall 7f\nret\n7: mov 8(%rsp), %rax\nadd 16(%rsp), %rax\nret $16\n" END(return_n)
	PROCEDURE(back_to_back) "push %rbx\nmov %rdi, %rbx\ncall 8f\ncall 8f\ncall 8f\ncall 8f\nmov %rbx, %rax\npop %rbx\nret\n8: inc %rbx\nret\n" END(back_to_back));

int main(void)
{
	static char stack[8192] __attribute__((aligned(16)));
	static long (*function)(long) = increment;
	long sum = 0;

	for (long i = 0; i < 1000; i++) {
		CHECK(call_pop() == 0);
		CHECK(pop_jump(i) == i + 5);
		CHECK(inline_data(i) == i + 1000);
		CHECK(push_return(i) == i + 107);
		CHECK(retpoline(increment, i) == i + 1);
		CHECK(other_stack(i, stack + sizeof stack) == i + 1);
		CHECK(double_return(i) == i + 9);
		CHECK(call_through_memory(&function, i) == i + 3);
		CHECK(return_n(i) == 2 * i);
		CHECK(back_to_back(i) == i + 4);
		sum += i;
	}
	printf("%ld\n", sum);
	return passed();
}
