/* No file descriptor is open that the parent did not pass on, neither at the start nor in a child or behind an exec.
 * token: none
 */
#include "behave.h"
#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

static void list(const char *who)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;

	printf("%s:", who);
	while ((e = readdir(d)))
		if (e->d_name[0] != '.' && atoi(e->d_name) != dirfd(d))
			printf(" %s", e->d_name);
	printf(" next %d\n", dup(0));
	fflush(stdout);
	closedir(d);
}

int main(void)
{
	list("program");
	if (!fork()) {
		list("child");
		_exit(0);
	}
	wait(NULL);
	execl("/bin/ls", "ls", "/proc/self/fd", NULL);
	return 1;
}
