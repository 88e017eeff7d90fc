/* clearview attach [options] PID...: guards processes that run already. The supervisor is started on the side and tells what has become of each. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/attachable.h"
#include "cli/command.h"
#include "cli/guarding.h"
#include "cli/process_tree.h"
#include "node/daemon.h"
#include "node/supervisor.h"

enum option_code { OPTION_TREE = GUARD_OPTION_END };

static const struct option long_options[] = {
	GUARD_OPTION_ROWS,
	{"tree", no_argument, NULL, OPTION_TREE},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static void help(void)
{
	printf("usage: clearview attach [--tree] [--state DIR] [--redirect=all|direct] [--strict[=firewall,shadow,heap]] [--jit[=NAME,...]] [--learn=PERCENT|full]\n"
	       "                        [--no-heap] [--checks=N] [--debug] PID...\n\n"
	       "Guard processes that run already, from now on, with what they start. `clearview detach` lets go of them again.\n"
	       "--tree attaches to all their descendants, too.\n\n"
	       "The exit status is 127 if there is no such process, 126 if it can't be attached to (it says why, and nothing was touched),\n"
	       "125 if something else went wrong.\n");
	exit(finish_output());
}

static void check(pid_t pid)
{
	char why[256];
	int code = attachable(pid, why, sizeof why);
	if (code)
		die(code, "process %d can't be attached to: %s", pid, why);
}

/* What the supervisor says of each process; the exit code. */
static int hear(int ready)
{
	struct attach_word w;
	int code = 0;
	for (;;) {
		ssize_t got = recv(ready, &w, sizeof w, 0);
		if (got != sizeof w)
			die(EXIT_CLEARVIEW, "the supervisor has ended; the processes go on");
		if (!w.pid)
			break;
		if (w.status == -ESRCH)
			code = EXIT_NOT_FOUND;
		else if (w.status)
			code = EXIT_CANNOT_RUN;
		if (w.status)
			log_error("process %d can't be attached to: %s (%s); it goes on as before", w.pid, w.text, strerror(-w.status));
		else
			printf("attached to %d, %s: %u thread%s, longest stop %.2f ms\n", w.pid, w.text, w.threads, w.threads == 1 ? "" : "s",
			       w.longest_stop_us / 1000.0);
	}
	if (w.status)
		die(EXIT_CLEARVIEW, "%s", w.text);
	return code;
}

static int attach(const struct guard_options *options, const pid_list *pids)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		die(EXIT_CLEARVIEW, "can't talk to a supervisor: %s", strerror(errno));
	pid_t between = fork();
	if (between < 0)
		die(EXIT_CLEARVIEW, "can't start the supervisor: %s", strerror(errno));
	if (!between) {
		int kept = daemon_become(ends[1]);
		_exit(supervisor_attach(options, pids->at, pids->count, kept) ? 1 : 0);
	}
	close(ends[1]);
	waitpid(between, NULL, 0);
	return hear(ends[0]);
}

int command_attach(int argc, char **argv)
{
	struct guard_options options = {.checks = -1};
	bool tree = false;
	pid_list pids = {0};
	int code;
	optind = 1;
	opterr = 0;
	while ((code = getopt_long(argc, argv, "h", long_options, NULL)) >= 0) {
		if (code == 'h')
			help();
		else if (code == OPTION_TREE)
			tree = true;
		else if (!guard_option_set(code, &options))
			die(EXIT_CLEARVIEW, "attach: there is no option %s, or its value is missing; `clearview help attach` explains", argv[optind - 1]);
	}
	if (optind == argc)
		die(EXIT_CLEARVIEW, "attach: to which process? usage: clearview attach [options] PID...");
	for (int i = optind; i < argc; i++)
		vec_push(&pids, (pid_t)parse_number("a process", argv[i]));
	if (tree)
		process_tree(&pids);
	for (size_t i = 0; i < pids.count; i++)
		check(pids.at[i]);
	guard_state_settle(&options);
	code = attach(&options, &pids);
	return finish_output() ? EXIT_CLEARVIEW : code;
}
