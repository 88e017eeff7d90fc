/* What a Java VM does with signals: null checks by SIGSEGV in program text and in generated code, whose handler goes on at an exception's stub; a safepoint page that
 * is made unreadable to stop threads; division by zero; guard pages on the stack, which the handler opens on an alternate stack; a chained earlier handler.
 * build: -O2
 * build: -O2 -static
 * time: 60
 */
#include "behave.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 4096, THREADS = 3, SAFEPOINTS = 60 };

extern const char load_at[], load_null[], div_at[], div_zero[], poll_at[], poll_next[];
long load_field(long *object, long n), divide(long a, long b), loop(long n, const char *page);
__asm__(".text\n"
#define P(name) ".globl " #name "\n.type " #name ", @function\n" #name ":\n.cfi_startproc\n"
#define E(name) ".cfi_endproc\n.size " #name ", . - " #name "\n"
	P(load_field) "mov %rsi, %rax\nload_at: add 16(%rdi), %rax\nret\nload_null: mov $-1, %rax\nret\n" E(load_field)
	P(divide) "mov %rdi, %rax\ncqto\ndiv_at: idiv %rsi\nret\ndiv_zero: mov $-2, %rax\nret\n" E(divide)
	P(loop) "xor %eax, %eax\n1: lea 3(%rax,%rax,4), %rax\npoll_at: test %eax, (%rsi)\npoll_next: dec %rdi\njnz 1b\nret\n" E(loop));

static char *safepoint, *generated;
static atomic_int stopped, opened, chained;
static volatile int ending, wanted_stop;
static __thread char *yellow;

static void earlier(int signal) { chained++; }
static struct sigaction former;

static int on_safepoint(void)
{
	stopped++;
	while (wanted_stop)
		usleep(20);
	stopped--;
	return 1;
}

static int on_stack_guard(void)
{
	opened++;
	return !mprotect(yellow, PAGE, PROT_READ | PROT_WRITE);
}

static void handler(int signal, siginfo_t *info, void *p)
{
	greg_t *r = ((ucontext_t *)p)->uc_mcontext.gregs;
	const char *rip = (const char *)r[REG_RIP], *address = info->si_addr;

	if (signal == SIGSEGV && rip == poll_at && address == safepoint)
		on_safepoint(); /* and again: the page may be readable now */
	else if (signal == SIGSEGV && rip == load_at && address < (char *)PAGE)
		r[REG_RIP] = (greg_t)load_null;
	else if (signal == SIGSEGV && rip >= generated && rip < generated + PAGE && address < (char *)PAGE)
		r[REG_RIP] = (greg_t)(generated + 64);
	else if (signal == SIGSEGV && yellow && address >= yellow && address < yellow + PAGE)
		CHECK(on_stack_guard());
	else if (signal == SIGFPE && rip == div_at && address == div_at)
		r[REG_RIP] = (greg_t)div_zero;
	else if (info->si_code <= 0 && former.sa_handler == earlier)
		former.sa_handler(signal);
	else
		_exit(98);
}

/* long f(long *object): object[2], or -3. */
static void generate(unsigned char *at)
{
	static const unsigned char code[] = { 0x48, 0x8b, 0x47, 0x10, 0xc3 }, null[] = { 0x48, 0xc7, 0xc0, 0xfd, 0xff, 0xff, 0xff, 0xc3 };

	memcpy(at, code, sizeof code);
	memcpy(at + 64, null, sizeof null);
}

static __attribute__((noinline)) long bang(long n)
{
	volatile char frame[512];

	memset((char *)frame, (int)n, sizeof frame);
	return n ? bang(n - 1) + frame[n % 512] : 0;
}

static void *work(void *p)
{
	char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack_t alternate = { .ss_sp = stack, .ss_size = 65536 };
	long object[3] = { 0, 0, 40 }, (*compiled)(long *) = (long (*)(long *))generated;
	pthread_attr_t attributes;
	void *lowest;
	size_t size;

	sigaltstack(&alternate, NULL);
	pthread_getattr_np(pthread_self(), &attributes);
	pthread_attr_getstack(&attributes, &lowest, &size);
	pthread_attr_destroy(&attributes);
	yellow = (char *)lowest + 16 * PAGE;
	long banged = bang(100);
	do {
		CHECK(load_field(object, 2) == 42 && load_field(NULL, 2) == -1);
		CHECK(divide(42, 6) == 7 && divide(42, 0) == -2);
		CHECK(compiled(object) == 40 && compiled(NULL) == -3);
		CHECK(loop(1000, safepoint) == loop(1000, safepoint));
		CHECK(mprotect(yellow, PAGE, PROT_NONE) == 0);
		CHECK(bang((size - 8 * PAGE) / 640) != banged + 1); /* down to it, and beyond */
	} while (!ending);
	munmap(stack, 65536);
	return NULL;
}

static void install(void)
{
	struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };

	signal(SIGSEGV, earlier);
	sigaction(SIGFPE, &a, NULL);
	sigaction(SIGSEGV, &a, &former);
	CHECK(former.sa_handler == earlier);
}

int main(void)
{
	pthread_attr_t attributes;
	pthread_t thread[THREADS];

	safepoint = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	generated = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	generate((unsigned char *)generated);
	install();
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 262144);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], &attributes, work, NULL);
	for (int i = 0; i < SAFEPOINTS; i++) {
		wanted_stop = 1;
		mprotect(safepoint, PAGE, PROT_NONE);
		while (stopped < THREADS)
			usleep(20);
		mprotect(safepoint, PAGE, PROT_READ);
		wanted_stop = 0;
		while (stopped)
			usleep(20);
	}
	ending = 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	raise(SIGSEGV);
	CHECK(chained == 1 && opened >= THREADS);
	return passed();
}
