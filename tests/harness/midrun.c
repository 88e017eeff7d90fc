/* Runs a program and attaches ClearView to it, or detaches it, in the middle of the run: behind the N-th system call of its first thread. There the program is stopped
 * as job control would stop it, and continued afterwards.
 *
 *	midrun count  0 LOG -- COMMAND...                                  says in LOG how many system calls there are
 *	midrun attach N LOG CLEARVIEW STATE OPTION... -- COMMAND...
 *	midrun detach N LOG CLEARVIEW STATE OPTION... -- COMMAND...        started under ClearView
 *
 * Ends as the program ends. Without the change it ends with 98, unless the program has ended before, or has system call filters that forbid the change: then it
 * goes on as it was. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COULD_NOT = 98, HAS_ENDED = 127, ARGUMENTS_MAX = 64, OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC };

static pid_t child;
static FILE *record;
static bool guarded; /* from the start */

static _Noreturn void end_as(int status)
{
	if (WIFEXITED(status))
		exit(WEXITSTATUS(status));
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
	signal(WTERMSIG(status), SIG_DFL);
	raise(WTERMSIG(status));
	exit(COULD_NOT);
}

static int next_stop(void)
{
	int status;
	while (waitpid(child, &status, WUNTRACED | __WALL) != child)
		;
	if (!WIFSTOPPED(status)) {
		fclose(record);
		end_as(status);
	}
	return status;
}

static _Noreturn void leave_alone(void)
{
	fprintf(record, "it executes another program\n");
	ptrace(PTRACE_DETACH, child, NULL, NULL);
	for (;;)
		next_stop();
}

/* Until the program has come back from that many system calls. max 0: to its end. */
static long count_calls(long max)
{
	bool in_call = false;
	long calls = 0;
	int signal = 0;
	while (!max || calls < max) {
		if (ptrace(PTRACE_SYSCALL, child, NULL, (void *)(long)signal))
			next_stop(); /* killed */
		int status = next_stop(), stop = WSTOPSIG(status);
		signal = 0;
		if (stop == (SIGTRAP | 0x80)) {
			in_call = !in_call;
			calls += !in_call;
			if (!max && !in_call) {
				rewind(record);
				fprintf(record, "%ld\n", calls);
				fflush(record);
			}
		} else if (!(status >> 16)) {
			signal = stop;
		} else if (guarded && status >> 16 == PTRACE_EVENT_EXEC) {
			leave_alone(); /* ClearView could not follow while we trace */
		}
	}
	return calls;
}

static void start(char **command, bool traced)
{
	child = fork();
	if (child)
		return;
	if (traced)
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	execv(command[0], command);
	perror(command[0]);
	_exit(COULD_NOT);
}

/* The program stands before its first instruction and is traced. */
static void start_traced(char **command)
{
	start(command, true);
	next_stop();
	ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)(long)OPTIONS);
}

static void start_guarded(const char *clearview, const char *state, char **options, int count, char **command)
{
	char *line[ARGUMENTS_MAX] = {(char *)clearview, "run", "--stopped", "--state", (char *)state};
	int n = 5;
	for (int i = 0; i < count; i++)
		line[n++] = options[i];
	line[n++] = "--";
	while (*command && n < ARGUMENTS_MAX - 1)
		line[n++] = *command++;
	start(line, false);
	next_stop();
	ptrace(PTRACE_SEIZE, child, NULL, (void *)(long)OPTIONS);
	ptrace(PTRACE_INTERRUPT, child, NULL, NULL);
	next_stop();
	kill(child, SIGCONT);
	guarded = true;
}

static bool is_forbidden(const char *log)
{
	char said[4096];
	FILE *f = fopen(log, "r");
	said[f ? fread(said, 1, sizeof said - 1, f) : 0] = 0;
	if (f)
		fclose(f);
	return strstr(said, "(seccomp) forbid") || strstr(said, "strict seccomp mode");
}

static void run_clearview(const char *log, const char *clearview, const char *verb, const char *state, char **options, int count)
{
	char number[16], *line[ARGUMENTS_MAX] = {(char *)clearview, (char *)verb, "--state", (char *)state};
	int n = 4, status;
	for (int i = 0; i < count && !strcmp(verb, "attach"); i++)
		line[n++] = options[i];
	snprintf(number, sizeof number, "%d", child);
	line[n] = number;
	pid_t pid = fork();
	if (!pid) {
		dup2(fileno(record), 1);
		dup2(fileno(record), 2);
		dup2(open("/dev/null", O_RDONLY), 0);
		execv(clearview, line);
		_exit(COULD_NOT);
	}
	waitpid(pid, &status, 0);
	fprintf(record, "%s: %d\n", verb, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	fflush(record);
	if (status && !(WIFEXITED(status) && WEXITSTATUS(status) == HAS_ENDED) && !is_forbidden(log)) {
		fprintf(stderr, "midrun: %s failed\n", verb);
		kill(child, SIGKILL);
		exit(COULD_NOT);
	}
}

int main(int argc, char **argv)
{
	int dashes = 1;
	while (dashes < argc && strcmp(argv[dashes], "--"))
		dashes++;
	if (argc < 5 || dashes >= argc - 1)
		return COULD_NOT;
	const char *verb = argv[1];
	char **command = argv + dashes + 1;
	record = fopen(argv[3], "we");
	if (!strcmp(verb, "count")) {
		start_traced(command);
		count_calls(0);
	}
	if (dashes < 6)
		return COULD_NOT;
	if (!strcmp(verb, "attach"))
		start_traced(command);
	else
		start_guarded(argv[4], argv[5], argv + 6, dashes - 6, command);
	count_calls(atol(argv[2]));
	ptrace(PTRACE_DETACH, child, NULL, (void *)(long)SIGSTOP);
	next_stop();
	run_clearview(argv[3], argv[4], verb, argv[5], argv + 6, dashes - 6);
	kill(child, SIGCONT);
	for (;;)
		next_stop();
}
