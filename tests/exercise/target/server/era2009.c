/* era2009.c - part of the 2009 build only: data that can be executed.
 *
 * A system of that time made everything readable executable for a program whose stack was marked so.
 * Today's kernels do that for the stack alone. This restores the old behaviour, before anything else
 * in the process has run: heap and mappings through the personality, static data by hand. */
#include <sys/mman.h>
#include <sys/personality.h>
#include <stdint.h>
#include <unistd.h>

extern char __data_start[], _end[];

static void make_data_executable(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = (uintptr_t)__data_start & ~(page - 1);
	uintptr_t to = ((uintptr_t)_end + page - 1) & ~(page - 1);

	personality((unsigned long)personality(0xffffffff) | READ_IMPLIES_EXEC);
	mprotect((void *)from, to - from, PROT_READ | PROT_WRITE | PROT_EXEC);
}

__attribute__((section(".preinit_array"), used))
static void (*const at_start)(void) = make_data_executable;
