/* A program that is itself a debugger: traces a child across exec, reads its registers and memory, and ends it. */
#include "behave.h"
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static const char text[] = "in the child";

int main(int argc, char **argv)
{
	struct user_regs_struct registers;
	int status;

	if (argc > 1)
		return 4;
	pid_t pid = fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		execl(argv[0], argv[0], "traced", NULL);
		_exit(1);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	errno = 0;
	long word = ptrace(PTRACE_PEEKDATA, pid, text, 0);
	CHECK(errno == 0 && !memcmp(&word, text, sizeof word));
	CHECK(ptrace(PTRACE_GETREGS, pid, 0, &registers) == 0 && registers.rip);
	CHECK(ptrace(PTRACE_CONT, pid, 0, 0) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
	CHECK(ptrace(PTRACE_CONT, pid, 0, 0) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 4);
	return passed();
}
