/* A program without libc or dynamic linker: raw system calls, its own entry, a handler set by raw rt_sigaction.
 * build: -O2 -nostdlib -static -fno-stack-protector -fno-builtin -Wl,-e,entry
 * build: -O2 -nostdlib -static-pie -fPIE -fno-stack-protector -fno-builtin -Wl,-e,entry
 */
#include <asm/unistd.h>
#include <stdint.h>

static long call(long n, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	__asm__ volatile("syscall" : "+a"(n) : "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
	return n;
}

static void say(const char *s)
{
	long n = 0;

	while (s[n])
		n++;
	call(__NR_write, 1, (long)s, n, 0);
}

struct action { void (*handler)(int); unsigned long flags; void (*restorer)(void); unsigned long mask; };

static volatile int handled;
static void handler(int signal) { handled += signal; }
void restorer(void);
__asm__("restorer: mov $15, %eax; syscall");

__attribute__((force_align_arg_pointer, used)) static void start(void)
{
	struct action a = { handler, 0x04000000, restorer, 0 }, old;
	long pid = call(__NR_getpid, 0, 0, 0, 0);

	say("without libc\n");
	if (call(__NR_rt_sigaction, 10, (long)&a, 0, 8) || call(__NR_rt_sigaction, 10, 0, (long)&old, 8) || old.handler != handler)
		call(__NR_exit_group, 1, 0, 0, 0);
	for (int i = 0; i < 10; i++)
		call(__NR_kill, pid, 10, 0, 0);
	say(handled == 100 ? "ten signals\nok\n" : "wrong\n");
	call(__NR_exit_group, handled != 100, 0, 0, 0);
}

__asm__(".globl entry; entry: xor %ebp, %ebp; call start; hlt");
