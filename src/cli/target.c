#include "cli/target.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/log.h"

static int is_runnable(const char *path)
{
	struct stat st;
	if (stat(path, &st))
		return -errno;
	return !S_ISREG(st.st_mode) ? -EISDIR : access(path, X_OK) ? -EACCES : 0;
}

void target_find(const char *name, char *path, size_t size)
{
	const char *folders = getenv("PATH");
	int worst = -ENOENT;
	if (strchr(name, '/')) {
		snprintf(path, size, "%s", name);
		worst = is_runnable(path);
		if (!worst)
			return;
	} else {
		for (const char *at = folders ? folders : "/bin:/usr/bin"; at; at = strchr(at, ':') ? strchr(at, ':') + 1 : NULL) {
			int length = strcspn(at, ":");
			snprintf(path, size, "%.*s%s%s", length, at, length ? "/" : "./", name);
			int status = is_runnable(path);
			if (!status)
				return;
			if (status == -EACCES)
				worst = status;
		}
	}
	if (worst == -ENOENT || worst == -ENOTDIR)
		die(EXIT_NOT_FOUND, "%s: no such program; give a path, or a name that is in PATH", name);
	if (worst == -EISDIR)
		die(EXIT_CANNOT_RUN, "%s: not a regular file; give a program", name);
	die(EXIT_CANNOT_RUN, "%s: can't be run: %s; chmod +x it if it is a program", name, strerror(-worst));
}

/* As the kernel reads a script's first line. False: it names no interpreter. */
static bool interpreter_of(const char *head, char *interpreter, size_t size)
{
	const char *at = head + 2 + strspn(head + 2, " \t");
	size_t length = strcspn(at, " \t\n");
	snprintf(interpreter, size, "%.*s", (int)length, at);
	return length;
}

static void refuse_privileged(const char *path, const struct stat *st)
{
	bool gains = st->st_mode & (S_ISUID | S_ISGID) || getxattr(path, "security.capability", NULL, 0) > 0;
	if (gains)
		die(EXIT_CANNOT_RUN, "%s: changes its privileges when it starts (setuid, setgid or capabilities), which a guarded program can't; "
		    "run a copy without them, as the user it needs", path);
}

/* The first bytes of a file, with a zero behind them; how many. */
static size_t read_head(const char *path, struct stat *st, char *head, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, st))
		die(EXIT_CANNOT_RUN, "%s: can't be read: %s; ClearView has to read what it protects", path, strerror(errno));
	ssize_t got = read(fd, head, size - 1);
	close(fd);
	head[got > 0 ? got : 0] = 0;
	return got > 0 ? got : 0;
}

static void check_elf(const char *path, const struct stat *st, const char *head, size_t got)
{
	Elf64_Ehdr e;
	if (got < sizeof e || memcmp(head, ELFMAG, SELFMAG))
		die(EXIT_CANNOT_RUN, "%s: neither an ELF program nor a script that begins with #!; ClearView protects x86-64 ELF programs", path);
	memcpy(&e, head, sizeof e);
	if (e.e_ident[EI_CLASS] != ELFCLASS64 || e.e_machine != EM_X86_64)
		die(EXIT_CANNOT_RUN, "%s: %s; ClearView protects x86-64 programs only", path,
		    e.e_machine == EM_386 || e.e_ident[EI_CLASS] == ELFCLASS32 ? "is a 32-bit program" : "is for another architecture");
	if (e.e_type != ET_EXEC && e.e_type != ET_DYN)
		die(EXIT_CANNOT_RUN, "%s: not an executable ELF file (an object or core file); give a program", path);
	refuse_privileged(path, st);
}

/* A script's interpreter is what will be protected; it may be a script again. */
void target_check(const char *path)
{
	enum { KERNEL_HEAD = 256, DEEPEST = 5 };
	struct stat st;
	char head[KERNEL_HEAD], at[PATH_MAX], interpreter[KERNEL_HEAD];
	snprintf(at, sizeof at, "%s", path);
	size_t got = read_head(at, &st, head, sizeof head);
	for (int depth = 0; got >= 2 && !memcmp(head, "#!", 2); depth++) {
		if (depth == DEEPEST)
			die(EXIT_CANNOT_RUN, "%s: interpreters that are scripts, more than %d deep", path, DEEPEST);
		if (!interpreter_of(head, interpreter, sizeof interpreter))
			die(EXIT_CANNOT_RUN, "%s: is a script whose first line names no interpreter", at);
		int status = is_runnable(interpreter);
		if (status)
			die(EXIT_CANNOT_RUN, "%s: is a script for %s, which can't be run: %s", at, interpreter, strerror(-status));
		snprintf(at, sizeof at, "%s", interpreter);
		got = read_head(at, &st, head, sizeof head);
	}
	check_elf(at, &st, head, got);
}
