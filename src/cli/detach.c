/* clearview detach [--tree] PID...: their supervisor lets go of them. */
#include "cli/command.h"
#include "cli/process_tree.h"
#include "inject/threads.h"
#include "node/adopt.h"
#include "node/control.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { PATIENCE_MS = 20000 };

/* Processes whose supervisor was killed get one first: it alone knows the way out. */
static int ask(const char *folder, pid_t pid, struct control_result *said)
{
	struct adopted adopted;
	int status = control_detach(folder, pid, PATIENCE_MS, said);
	if (status || said->processes || *said->text)
		return status;
	if (adopt_orphans(folder, false, &adopted) || !adopted.processes)
		return 0;
	return control_detach(folder, pid, PATIENCE_MS, said);
}

static int detach(const char *folder, pid_t pid)
{
	struct control_result said;
	if (thread_has_ended(pid, pid)) {
		log_error("there is no process %d", pid);
		return EXIT_NOT_FOUND;
	}
	int status = ask(folder, pid, &said);
	if (status)
		die(EXIT_CLEARVIEW, "can't talk to the supervisors: %s", strerror(-status));
	if (said.processes) {
		printf("detached from %d: %s\n", pid, said.text);
		return 0;
	}
	if (thread_has_ended(pid, pid)) {
		log_error("process %d has ended", pid);
		return EXIT_NOT_FOUND;
	}
	log_error("process %d %s%s%s", pid, *said.text ? "can't be let go of now: " : "isn't guarded by a supervisor of this state folder", said.text,
		  *said.text ? "; it stays guarded" : "");
	return EXIT_CANNOT_RUN;
}

int command_detach(int argc, char **argv)
{
	bool tree = false;
	const struct option_spec options[] = {{"tree", 0, NULL, "let go of all their descendants, too", &tree}, {0}};
	char folder[PATH_MAX];
	struct common common;
	pid_list pids = {0};
	int code = 0, first = options_parse("detach", argc, argv, options, &common);
	if (first == argc)
		die(EXIT_CLEARVIEW, "detach: from which process? `clearview help detach` explains");
	for (int i = first; i < argc; i++)
		vec_push(&pids, (pid_t)parse_number("a process", argv[i]));
	if (tree)
		process_tree(&pids);
	struct store *s = state_open(&common);
	snprintf(folder, sizeof folder, "%s", store_directory(s));
	store_close(s);
	for (size_t i = 0; i < pids.count; i++) {
		int status = detach(folder, pids.at[i]);
		code = status ? status : code;
	}
	return finish_output() ? EXIT_CLEARVIEW : code;
}
