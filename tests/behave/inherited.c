/* What a process inherits is as the parent left it: signal mask and ignored signals, umask, limits, priority, no tracer.
 *
 * modes: -attach -detach
 *     (the harness traces a program until it attaches or detaches) */
#include "behave.h"
#include <fcntl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const status_lines[] = { "Umask:", "TracerPid:", "Uid:", "Gid:", "Groups:", "SigBlk:", "SigIgn:", "CapEff:", "NoNewPrivs:", "Seccomp:" };

int main(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[512];
	struct rlimit limit;

	while (fgets(line, sizeof line, f))
		for (unsigned i = 0; i < sizeof status_lines / sizeof *status_lines; i++)
			if (!strncmp(line, status_lines[i], strlen(status_lines[i])))
				fputs(line, stdout);
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		CHECK(getrlimit(i, &limit) == 0);
		printf("limit %d: %lu %lu\n", i, (unsigned long)limit.rlim_cur, (unsigned long)limit.rlim_max);
	}
	printf("nice %d personality %x dumpable %d subreaper-free stdin flags %x\n", getpriority(PRIO_PROCESS, 0), personality(0xffffffff),
		prctl(PR_GET_DUMPABLE), fcntl(0, F_GETFL));
	return passed();
}
