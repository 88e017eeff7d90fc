/* Code that programs make at run time. A program that was declared (--jit) may; of the others, only files are executed, and no file that the program writes
 * itself. What is refused fails as it does where SELinux denies execmem, which programs with a compiler inside know of. A program that asks for an executable
 * stack, or whose stack is meant, gets its memory without that permission: it never notices, for what compilers put on stacks is carried out
 * (guest/trampoline.c). */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "inject/maps.h"
#include "node/firewall.h"
#include "node/supervisor.h"

bool firewall_may_make_code(const struct guard_options *o, const char *program)
{
	const char *slash = strrchr(program, '/'), *name = slash ? slash + 1 : program;
	size_t length = strlen(name);
	if (!o->jit || !*o->jit)
		return o->jit;
	for (const char *at = o->jit;; at += strcspn(at, ",") + 1) {
		if (strcspn(at, ",") == length && !memcmp(at, name, length))
			return true;
		if (!at[strcspn(at, ",")])
			return false;
	}
}

/* On disk under a name: a program that writes code into memory has a file for it only until it has mapped it. */
static bool is_lasting_file(pid_t pid, int fd)
{
	char name[64], target[64];
	struct stat st;
	snprintf(name, sizeof name, "/proc/%d/fd/%d", pid, fd);
	ssize_t length = readlink(name, target, sizeof target - 1);
	if (length <= 0 || stat(name, &st))
		return false;
	target[length] = 0;
	return S_ISREG(st.st_mode) && st.st_nlink && strncmp(target, "/memfd:", 7);
}

static bool is_text(const struct family *f, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < f->image.modules.count; i++) {
		const struct range *text = &f->image.modules.at[i]->text;
		if (start >= (text->start & ~4095ul) && end <= ((text->end + 4095) & ~4095ul))
			return true;
	}
	return false;
}

static bool is_executable_already(pid_t pid, uint64_t start, uint64_t end)
{
	struct maps maps;
	uint64_t at = start;
	if (maps_read(pid, &maps))
		return false;
	for (size_t i = 0; i < maps.count; i++)
		if (at >= maps.at[i].start && at < maps.at[i].end && maps.at[i].executable)
			at = maps.at[i].end;
	maps_free(&maps);
	return at >= end;
}

static bool is_stack(pid_t pid, uint64_t start, uint64_t protection)
{
	struct maps maps;
	bool is = protection & (PROT_GROWSDOWN | PROT_GROWSUP);
	if (is || maps_read(pid, &maps))
		return is;
	for (size_t i = 0; i < maps.count; i++)
		is |= start >= maps.at[i].start && start < maps.at[i].end && !strcmp(maps.at[i].path, "[stack]");
	maps_free(&maps);
	return is;
}

static void tell(struct family *f, pid_t pid)
{
	const char *slash = strrchr(f->program, '/');
	struct event e = {.pid = pid, .kind = "firewall"};
	snprintf(e.text, sizeof e.text, "%.200s was not let make code at run time; --jit=%.80s lets it", f->program, slash ? slash + 1 : f->program);
	log_info("%s", e.text);
	if (!f->has_refused_code)
		store_event_add(f->supervisor->store, &e);
	f->has_refused_code = true;
}

uint64_t firewall_executable(struct family *f, pid_t pid, const uint64_t arg[6])
{
	uint64_t start = arg[0], end = start + arg[1], protection = arg[2];
	int64_t how = (int64_t)arg[3];
	if (how >= 0 && !(protection & PROT_WRITE) && is_lasting_file(pid, (int)how))
		return EXECUTABLE_ALLOWED;
	if (how == EXECUTING_PRESENT && (is_text(f, start, end) || is_executable_already(pid, start, end)))
		return EXECUTABLE_ALLOWED;
	int stack = f->program_module->stack_flags;
	if (stack == -1 || stack & PF_X || (how == EXECUTING_PRESENT && is_stack(pid, start, protection)))
		return EXECUTABLE_WITHOUT;
	tell(f, pid);
	return EXECUTABLE_REFUSED;
}
