/* An alternate signal stack that is unmapped while it is still set: harmless, as long as no handler wants it. Procedures that have never run before are entered after
 * that, by computed jumps into their middle, too.
 * build: -O2
 * build: -O2 -static
 */
#include "behave.h"
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

enum { SIZE = 65536, THREADS = 20 };

static void handler(int signal) {}

long entered(long n), into(long n);
__asm__(".text\n.globl entered\n.type entered, @function\nentered:\n.cfi_startproc\n"
	"test %rdi, %rdi\nje 1f\nlea 3(%rdi), %rax\n2: add $5, %rax\nret\n1: mov $7, %eax\nret\n.cfi_endproc\n.size entered, . - entered\n"
	".globl into\n.type into, @function\ninto:\n.cfi_startproc\nmov %rdi, %rax\nlea 2b(%rip), %rdx\njmp *%rdx\n.cfi_endproc\n.size into, . - into\n");

static void *work(void *p)
{
	char *stack = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack_t alternate = { .ss_sp = stack, .ss_size = SIZE };

	CHECK(sigaltstack(&alternate, NULL) == 0);
	raise(SIGUSR1);
	CHECK(munmap(stack, SIZE) == 0);
	CHECK(into((long)p) == (long)p + 5 && entered((long)p + 1) == (long)p + 9);
	return NULL;
}

int main(void)
{
	struct sigaction a = { .sa_handler = handler, .sa_flags = SA_ONSTACK };
	pthread_t thread[THREADS];

	sigaction(SIGUSR1, &a, NULL);
	for (long i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, work, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	work(NULL);
	return passed();
}
