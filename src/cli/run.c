/* clearview run [options] -- CMD [ARGS...]: becomes the program. The supervisor is started on the side; this process execs, so that the program has the
 * process id, parent, terminal and exit status it would have had. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/guarding.h"
#include "cli/restart.h"
#include "cli/target.h"
#include "node/control.h"
#include "node/supervisor.h"

enum option_code { OPTION_RESTART = GUARD_OPTION_END, OPTION_STOPPED };

static const struct option long_options[] = {
	GUARD_OPTION_ROWS,
	{"restart", required_argument, NULL, OPTION_RESTART},
	{"stopped", no_argument, NULL, OPTION_STOPPED},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static void set_option(int code, char **argv, struct guard_options *o, enum restart_policy *restart)
{
	if (guard_option_set(code, o))
		return;
	switch (code) {
	case OPTION_RESTART:
		if (restart_parse(optarg, restart))
			die(EXIT_CLEARVIEW, "--restart=%s: give on-failure, never or always", optarg);
		break;
	case OPTION_STOPPED:
		o->stopped = true;
		break;
	case 'h':
		printf("usage: clearview run [--state DIR] [--redirect=all|direct|lazy] [--strict[=firewall,shadow,heap]] [--jit[=NAME,...]] [--learn=PERCENT|full]\n"
		       "                     [--restart=on-failure|never|always] [--no-heap] [--checks=N] [--perf-map] [--debug] [--stopped] -- CMD [ARGS...]\n");
		exit(0);
	default:
		die(EXIT_CLEARVIEW, "run: there is no option %s, or its value is missing; `clearview help run` explains", argv[optind - 1]);
	}
}

/* So that who looks for the program by its command line doesn't find its supervisor. The strings lie one behind the other. */
static void forget_command_line(char **argv)
{
	char *start = argv[0], *end = start;
	for (; *argv; argv++)
		end = *argv + strlen(*argv);
	memset(start, 0, end - start);
	memcpy(start, "clearview", end - start < 9 ? end - start : 9);
}

static void close_from(unsigned first)
{
	if (!close_range(first, ~0u, 0))
		return;
	for (int fd = first; fd < 1024; fd++)
		close(fd);
}

/* The supervisor: in a session of its own, holding nothing of the caller's open. */
static _Noreturn void become_supervisor(const struct guard_options *options, char **argv, pid_t launched, int ready)
{
	enum { READY = 3 };
	if (ready != READY)
		dup3(ready, READY, O_CLOEXEC);
	close_from(READY + 1);
	int null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
	prctl(PR_SET_NAME, "clearview");
	forget_command_line(argv);
	_exit(supervisor_run(options, launched, READY) ? 1 : 0);
}

/* By way of a process in between, so that the program has no child that it doesn't know of. That one borrows our memory and runs while we wait. */
static pid_t start_supervisor(const struct guard_options *options, char **argv, pid_t launched, int ready)
{
	pid_t between = vfork();
	if (between)
		return between;
	setsid();
	if (fork())
		_exit(0);
	become_supervisor(options, argv, launched, ready);
}

/* Waits for the supervisor's word; anything but "go" ends this process with the reason. */
static void await_supervisor(int ready, pid_t between)
{
	char message[SUPERVISOR_WORD_SIZE] = {EXIT_CLEARVIEW};
	waitpid(between, NULL, 0);
	ssize_t got = recv(ready, message, sizeof message - 1, 0);
	close(ready);
	if (got <= 0)
		die(EXIT_CLEARVIEW, "the supervisor did not start; nothing was run");
	if (message[0])
		die(message[0], "%s", message + 1);
}

static _Noreturn void launch(const struct guard_options *options, const char *path, char **argv)
{
	int ends[2];
	pid_t self = getpid();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		die(EXIT_CLEARVIEW, "can't talk to a supervisor: %s", strerror(errno));
	pid_t between = start_supervisor(options, argv, self, ends[1]);
	if (between < 0)
		die(EXIT_CLEARVIEW, "can't start the supervisor: %s", strerror(errno));
	close(ends[1]);
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	await_supervisor(ends[0], between);
	execv(path, argv);
	die(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN, "%s: %s", path, strerror(errno));
}

struct launch_context {
	const struct guard_options *options;
	const char *path;
	char **argv;
};

static _Noreturn void launch_again(void *context)
{
	struct launch_context *c = context;
	control_settle(c->options->state, CONTROL_TIMEOUT_MS);
	launch(c->options, c->path, c->argv);
}

int command_run(int argc, char **argv)
{
	struct guard_options options = {.checks = -1};
	enum restart_policy restart = RESTART_NEVER;
	char path[PATH_MAX];
	int code;
	optind = 1;
	opterr = 0;
	while ((code = getopt_long(argc, argv, "+h", long_options, NULL)) >= 0)
		set_option(code, argv, &options, &restart);
	if (optind >= argc)
		die(EXIT_CLEARVIEW, "run: which program? usage: clearview run [options] -- CMD [ARGS...]");
	target_find(argv[optind], path, sizeof path);
	target_check(path);
	options.lasts = restart != RESTART_NEVER;
	if (options.lasts)
		options.told_to_end = restart_told_to_end();
	guard_state_settle(&options);
	options.terminal = isatty(STDERR_FILENO) ? ttyname(STDERR_FILENO) : NULL;
	struct launch_context c = {&options, path, argv + optind};
	if (restart == RESTART_NEVER)
		launch(&options, path, argv + optind);
	return restart_run(restart, launch_again, &c);
}
