/* clearview adopt: a new supervisor for guests whose supervisor is gone. With --when-gone it is a keeper: it waits for that. */
#include "cli/command.h"
#include "node/adopt.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAUSE_SECONDS = 10 };

/* Holds nothing but the descriptor of the supervisor's process. */
static void await_end(pid_t pid)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);
	prctl(PR_SET_NAME, "clearview-keep");
	if (fd < 0)
		return;
	while (poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, -1) < 0 && errno == EINTR)
		;
	close(fd);
}

static void say(const struct common *common, const struct adopted *a)
{
	if (common->json) {
		print_json(json_pack("{s:i, s:i}", "processes", (int)a->processes, "supervisors", (int)a->supervisors));
		return;
	}
	if (a->processes)
		printf("adopted %u process%s\n", a->processes, a->processes == 1 ? "" : "es");
	else if (!*a->problem)
		printf("no process is without its supervisor\n");
}

int command_adopt(int argc, char **argv)
{
	const char *when_gone = NULL;
	const struct option_spec options[] = {{"when-gone", 0, "PID", "wait until that supervisor has been killed", &when_gone}, {0}};
	char folder[PATH_MAX];
	struct common common;
	struct adopted adopted;
	if (options_parse("adopt", argc, argv, options, &common) < argc)
		die(EXIT_CLEARVIEW, "adopt takes no operands; `clearview help adopt` explains");
	struct store *s = state_open(&common);
	snprintf(folder, sizeof folder, "%s", store_directory(s));
	store_close(s);
	if (when_gone)
		await_end(parse_number("a supervisor", when_gone));
	int status = adopt_orphans(folder, when_gone, &adopted);
	while (!status && adopted.later) {
		sleep(PAUSE_SECONDS);
		status = adopt_orphans(folder, true, &adopted);
	}
	if (status)
		die(EXIT_CLEARVIEW, "can't look for processes without supervisor: %s", strerror(-status));
	if (*adopted.problem)
		log_error("some processes can't be adopted: %s", adopted.problem);
	say(&common, &adopted);
	return finish_output() ? EXIT_CLEARVIEW : *adopted.problem ? EXIT_CLEARVIEW : 0;
}
