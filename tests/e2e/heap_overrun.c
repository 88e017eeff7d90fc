/* For heap_overrun.py: heap_overrun overrun|free|late. What it does to the heap is natively harmless, except the double free. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIZE = 112, BEYOND = 8 };

__attribute__((noinline)) void overrun(volatile char *p, int count)
{
	for (int i = 0; i < count; i++)
		p[i] = 'x';
}

__attribute__((noinline)) char *make(void)
{
	return malloc(SIZE);
}

__attribute__((noinline)) void release(void *p)
{
	free(p);
	__asm__ volatile("" ::: "memory");
}

static void wait_for_end_of_input(void)
{
	char c;
	while (read(0, &c, 1) > 0)
		;
}

int main(int argc, char **argv)
{
	char *p = make(), *other = strdup("the other one");
	const char *what = argc > 1 ? argv[1] : "";
	overrun(p, SIZE);
	if (!strcmp(what, "overrun") || !strcmp(what, "late"))
		overrun(p, SIZE + BEYOND);
	if (!strcmp(what, "late"))
		wait_for_end_of_input();
	release(p);
	if (!strcmp(what, "free"))
		release(p);
	puts(other);
	free(other);
	puts("end");
	return 0;
}
