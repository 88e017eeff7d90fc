/* Arguments, environment, the auxiliary vector's strings and /proc/self's view of the program are as natively.
 * build: -O2
 * build: -O2 -static
 * build: -O2 -no-pie -fno-pie
 * run: one "two words" "" * $HOME
 */
#include "behave.h"
#include <libgen.h>
#include <limits.h>
#include <sys/auxv.h>
#include <unistd.h>

extern char **environ;

static void show_link(const char *link)
{
	char path[PATH_MAX];
	ssize_t n = readlink(link, path, sizeof path - 1);

	CHECK(n > 0);
	path[n] = 0;
	printf("%s -> %s\n", link, path);
}

static void show_file(const char *name)
{
	FILE *f = fopen(name, "r");
	int c;

	CHECK(f);
	printf("%s:", name);
	while ((c = fgetc(f)) != EOF)
		putchar(c ? c : '|');
	putchar('\n');
	fclose(f);
}

int main(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		printf("argv[%d]=%s\n", i, argv[i]);
	for (char **e = environ; *e; e++)
		puts(*e);
	printf("execfn %s secure %lu uid %lu page %lu\n", (char *)getauxval(AT_EXECFN), getauxval(AT_SECURE), getauxval(AT_UID), getauxval(AT_PAGESZ));
	show_link("/proc/self/exe");
	show_file("/proc/self/cmdline");
	show_file("/proc/self/environ");
	show_file("/proc/self/comm");
	CHECK(!strcmp(program_invocation_name, argv[0]));
	return passed();
}
