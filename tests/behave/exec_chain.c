/* A program replaces itself several times, with other arguments and environment: by execve, fexecve, execveat and through a script.
 * build: -O2
 * build: -O2 -static
 */
#include "behave.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static void by_script(char **argv)
{
	FILE *f = fopen("script", "w");

	fprintf(f, "#!%s by-interpreter\n", argv[0]);
	fclose(f);
	chmod("script", 0755);
	execl("./script", "script", "5", NULL);
	CHECK(!"the script did not start");
}

int main(int argc, char **argv)
{
	char *step = argc > 1 ? argv[argc - 1] : "0", number[] = { *step + 1, 0 };
	char *next[] = { argv[0], number, NULL }, *environment[] = { "ONLY=this", number, NULL };

	printf("step %s, %d arguments, %s\n", step, argc, getenv("ONLY") ? getenv("ONLY") : "first environment");
	fflush(stdout);
	switch (*step) {
	case '0': execve(argv[0], next, environment); break;
	case '1': execv("/proc/self/exe", next); break;
	case '2': fexecve(open(argv[0], O_RDONLY), next, environ); break;
	case '3': execveat(AT_FDCWD, argv[0], next, environ, 0); break;
	case '4': by_script(argv); break;
	default: return passed();
	}
	return 1;
}
