/* Answers lines. "poke" reads through a null pointer at poke_load, "say" runs a program that answers, "fork" has a child answer, "spoil" writes
 * a byte beyond a block of the heap and frees it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static __attribute__((noinline)) long poke(const long *p)
{
	long v;
	__asm__ volatile(".globl poke_load\npoke_load: movq (%1), %0" : "=r"(v) : "r"(p));
	return v;
}

static __attribute__((noinline)) void spoil(void)
{
	volatile char *block = malloc(20);
	block[20] = 'x';
	free((void *)block);
}

int main(void)
{
	char line[100];
	while (fgets(line, sizeof line, stdin)) {
		if (!strcmp(line, "poke\n"))
			printf("poked %ld\n", poke(NULL));
		else if (!strcmp(line, "say\n"))
			system("echo said");
		else if (!strcmp(line, "fork\n") && fork())
			wait(NULL);
		else if (!strcmp(line, "fork\n"))
			return printf("forked %ld\n", poke(NULL)) < 0;
		else if (!strcmp(line, "spoil\n"))
			spoil(), puts("spoilt");
		else
			printf("heard %s", line);
		fflush(stdout);
	}
	return 0;
}
