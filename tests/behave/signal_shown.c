/* A fast timer interrupts everything that a program does: computing, calls of the allocator, system calls. In no handler does the context lie in anonymous
 * or foreign memory: the address is one of the program's or its libraries' own code; and what was interrupted goes on as if nothing had been. */
#include "behave.h"
#include <link.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

static struct { uintptr_t start, end; } text[64];
static int texts;
static volatile long handled, elsewhere;

static int note_text(struct dl_phdr_info *info, size_t size, void *data)
{
	for (int i = 0; i < info->dlpi_phnum && texts < 64; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X) {
			text[texts].start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
			text[texts].end = text[texts].start + info->dlpi_phdr[i].p_memsz;
			texts++;
		}
	return 0;
}

static void handler(int signal, siginfo_t *info, void *p)
{
	uintptr_t rip = ((ucontext_t *)p)->uc_mcontext.gregs[REG_RIP];

	handled++;
	for (int i = 0; i < texts; i++)
		if (rip >= text[i].start && rip < text[i].end)
			return;
	elsewhere++;
}

static unsigned long work(unsigned long n)
{
	unsigned long sum = n;
	char *kept[32] = { 0 };

	for (int i = 0; i < 3000; i++) {
		int at = (sum >> 7) % 32;
		char *old = kept[at];
		size_t length = 24 + (sum >> 13) % 500;

		if (old && old[0] != (char)at)
			return 0;
		if (old && i % 3 == 0) {
			kept[at] = realloc(old, length);
		} else {
			free(old);
			kept[at] = malloc(length);
		}
		memset(kept[at], at, length);
		sum = sum * 6364136223846793005ul + getppid() % 2 * 0 + length;
	}
	for (int i = 0; i < 32; i++)
		free(kept[i]);
	return sum;
}

int main(void)
{
	struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct itimerval timer = { { 0, 300 }, { 0, 300 } }, off = { { 0, 0 }, { 0, 0 } };
	unsigned long first = work(1);

	dl_iterate_phdr(note_text, NULL);
	sigaction(SIGALRM, &a, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	for (int i = 0; i < 30 || handled < 200; i++)
		CHECK(work(1) == first);
	setitimer(ITIMER_REAL, &off, NULL);
	CHECK(elsewhere <= handled / 100); /* under ClearView, when one handler interrupts the way into another */
	return passed();
}
