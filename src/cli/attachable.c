#include "cli/attachable.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "inject/maps.h"

struct facts {
	pid_t pid, group, tracer;
	char state;
	unsigned uid[3]; /* real, effective, saved */
	int seccomp;
	bool is_kernel, has_memory;
};

static bool read_facts(pid_t pid, struct facts *out)
{
	char name[32], line[256];
	snprintf(name, sizeof name, "/proc/%d/status", pid);
	*out = (struct facts){.pid = pid};
	FILE *f = fopen(name, "re");
	if (!f)
		return false;
	while (fgets(line, sizeof line, f)) {
		sscanf(line, "State: %c", &out->state);
		sscanf(line, "Tgid: %d", &out->group);
		sscanf(line, "TracerPid: %d", &out->tracer);
		sscanf(line, "Uid: %u %u %u", &out->uid[0], &out->uid[1], &out->uid[2]);
		sscanf(line, "Seccomp: %d", &out->seccomp);
		out->has_memory |= !strncmp(line, "VmSize:", 7);
	}
	fclose(f);
	return true;
}

static void name_of(pid_t pid, char *out, size_t size)
{
	char path[32];
	snprintf(path, sizeof path, "/proc/%d/comm", pid);
	FILE *f = fopen(path, "re");
	if (!f || !fgets(out, size, f))
		snprintf(out, size, "?");
	out[strcspn(out, "\n")] = 0;
	if (f)
		fclose(f);
}

static const char *state_problem(const struct facts *f)
{
	if (f->state == 'Z' || f->state == 'X')
		return "it has ended, and waits for its parent to take notice (a zombie)";
	if (!f->has_memory)
		return "it is a thread of the kernel";
	if (f->seccomp == 1)
		return "it is in strict seccomp mode, which forbids the system calls that guarding needs";
	return NULL;
}

static bool is_other_program(pid_t pid, const char **problem)
{
	char path[32], head[sizeof(Elf64_Ehdr)] = {0};
	const Elf64_Ehdr *e = (const Elf64_Ehdr *)head;
	snprintf(path, sizeof path, "/proc/%d/exe", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		*problem = errno == EACCES || errno == EPERM ? NULL : "its program file can't be read";
		return errno != EACCES && errno != EPERM;
	}
	ssize_t got = read(fd, head, sizeof head);
	close(fd);
	*problem = got == sizeof head && e->e_ident[EI_CLASS] == ELFCLASS32 ? "it is a 32-bit process; ClearView protects x86-64 programs only"
									       : "it is no x86-64 program";
	return got != sizeof head || e->e_ident[EI_CLASS] != ELFCLASS64 || e->e_machine != EM_X86_64;
}

static bool is_ours(pid_t pid)
{
	char path[32];
	struct stat self, other;
	snprintf(path, sizeof path, "/proc/%d/exe", pid);
	return !stat("/proc/self/exe", &self) && !stat(path, &other) && self.st_ino == other.st_ino && self.st_dev == other.st_dev;
}

static bool is_guarded(pid_t pid)
{
	struct maps maps;
	bool found = false;
	if (maps_read(pid, &maps))
		return false;
	for (size_t i = 0; i < maps.count; i++)
		found |= !strncmp(maps.at[i].path, "/memfd:clearview-", 17);
	maps_free(&maps);
	return found;
}

static int yama_scope(void)
{
	int scope = 0;
	FILE *f = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
	if (f && fscanf(f, "%d", &scope) != 1)
		scope = 0;
	if (f)
		fclose(f);
	return scope;
}

/* The kernel's own rule is asked for: /proc/PID/mem needs the same right as ptrace. */
static bool is_forbidden(const struct facts *f, char *why, size_t size)
{
	char path[32];
	unsigned me = geteuid();
	snprintf(path, sizeof path, "/proc/%d/mem", f->pid);
	int fd = open(path, O_RDWR | O_CLOEXEC), error = errno;
	if (fd >= 0) {
		close(fd);
		return false;
	}
	if (me && (f->uid[0] != me || f->uid[1] != me || f->uid[2] != me))
		snprintf(why, size, "it belongs to another user (%u), or runs with another user's rights; attach as that user or as root", f->uid[1]);
	else if (me && yama_scope())
		snprintf(why, size, "kernel.yama.ptrace_scope is %d, which allows tracing one's own children only; set it to 0, or attach as root", yama_scope());
	else if (me)
		snprintf(why, size, "it has more rights than you (setuid, capabilities), or has made itself undumpable; attach as root");
	else
		snprintf(why, size, "/proc/%d/mem can't be opened (%s): a hardened kernel, or a container without the right to trace", f->pid, strerror(error));
	return true;
}

int attachable(pid_t pid, char *why, size_t size)
{
	struct facts f;
	const char *problem;
	char name[64];
	if (pid <= 0 || !read_facts(pid, &f)) {
		snprintf(why, size, "there is no such process");
		return EXIT_NOT_FOUND;
	}
	if (f.group != pid)
		snprintf(why, size, "it is a thread of process %d; attach to that", f.group);
	else if ((problem = state_problem(&f)))
		snprintf(why, size, "%s", problem);
	else if (f.tracer) {
		name_of(f.tracer, name, sizeof name);
		snprintf(why, size, "it is being traced by %s (process %d)", name, f.tracer);
	} else if (is_ours(pid))
		snprintf(why, size, "it is part of ClearView itself");
	else if (is_forbidden(&f, why, size))
		return EXIT_CANNOT_RUN;
	else if (is_other_program(pid, &problem))
		snprintf(why, size, "%s", problem);
	else if (is_guarded(pid))
		snprintf(why, size, "it is guarded already; `clearview ps` shows by whom");
	else
		return 0;
	return EXIT_CANNOT_RUN;
}
