#include "cli/target.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <fcntl.h>
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

static void refuse_script(const char *path, const char *head)
{
	char interpreter[200] = "/bin/sh";
	if (head[0] == '#')
		sscanf(head + 2, " %199[^\n]", interpreter);
	die(EXIT_CANNOT_RUN, "%s: is a script, not a program; run its interpreter: clearview run -- %s %s", path, interpreter, path);
}

static void refuse_privileged(const char *path, const struct stat *st)
{
	bool gains = st->st_mode & (S_ISUID | S_ISGID) || getxattr(path, "security.capability", NULL, 0) > 0;
	if (gains)
		die(EXIT_CANNOT_RUN, "%s: changes its privileges when it starts (setuid, setgid or capabilities), which a guarded program can't; "
		    "run a copy without them, as the user it needs", path);
}

void target_check(const char *path)
{
	struct stat st;
	char head[256] = {0};
	const Elf64_Ehdr *e = (const Elf64_Ehdr *)head;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		die(EXIT_CANNOT_RUN, "%s: can't be read: %s; ClearView has to read what it protects", path, strerror(errno));
	ssize_t got = read(fd, head, sizeof head - 1);
	close(fd);
	if (got >= 2 && !memcmp(head, "#!", 2))
		refuse_script(path, head);
	if (got < (ssize_t)sizeof *e || memcmp(e->e_ident, ELFMAG, SELFMAG))
		die(EXIT_CANNOT_RUN, "%s: not an ELF program; ClearView protects x86-64 ELF programs", path);
	if (e->e_ident[EI_CLASS] != ELFCLASS64 || e->e_machine != EM_X86_64)
		die(EXIT_CANNOT_RUN, "%s: %s; ClearView protects x86-64 programs only", path,
		    e->e_machine == EM_386 || e->e_ident[EI_CLASS] == ELFCLASS32 ? "is a 32-bit program" : "is for another architecture");
	if (e->e_type != ET_EXEC && e->e_type != ET_DYN)
		die(EXIT_CANNOT_RUN, "%s: not an executable ELF file (an object or core file); give a program", path);
	refuse_privileged(path, &st);
}
