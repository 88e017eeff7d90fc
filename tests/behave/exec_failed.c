/* An exec that fails changes nothing: the program goes on, its handlers, mask and memory are as before. */
#include "behave.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

static volatile sig_atomic_t handled;
static void handler(int signal) { handled++; }

static void make(const char *name, const char *content, int mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, mode);

	write(fd, content, strlen(content));
	close(fd);
	chmod(name, mode);
}

static void fails(const char *program, int error)
{
	char *arguments[] = { (char *)program, NULL };

	for (int i = 0; i < 5; i++) {
		CHECK(execve(program, arguments, NULL) == -1);
		CHECK(errno == error);
		raise(SIGSEGV);
		raise(SIGTRAP);
	}
	printf("%s: %s\n", program, strerror(error));
}

int main(void)
{
	signal(SIGSEGV, handler);
	signal(SIGTRAP, handler);
	make("not-executable", "#!/bin/sh\n", 0644);
	make("not-a-program", "neither ELF nor script", 0755);
	make("empty", "", 0755);
	make("bad-interpreter", "#!/missing/interpreter\n", 0755);
	fails("./missing", ENOENT);
	fails("./not-executable", EACCES);
	fails("./not-a-program", ENOEXEC);
	fails("./empty", ENOEXEC);
	fails("./bad-interpreter", ENOENT);
	fails("/", EACCES);
	CHECK(execve((char *)8, NULL, NULL) == -1 && errno == EFAULT);
	CHECK(handled == 60);
	return passed();
}
