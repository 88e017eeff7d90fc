/* Forks and execs: the supervisor learns of new processes and follows them into new programs. */
#include "guest/guest_internal.h"

enum { CLONE_VM_ = 0x100 };

static uint64_t clone_flags(const struct probe_frame *f, int number)
{
	uint64_t flags = 0;
	if (number == __NR_clone)
		return f->r[REG_RDI];
	if (number == __NR_clone3)
		read_word(f->r[REG_RDI], 8, &flags);
	if (number == __NR_vfork)
		return CLONE_VM_;
	return flags;
}

/* Behind the system call, in parent and child. A child with memory of its own introduces itself. */
void program_cloned(struct probe_frame *f, int number)
{
	uint64_t reply[2];
	if (f->r[REG_RAX] != 0 || clone_flags(f, number) & CLONE_VM_)
		return;
	post_event(EVENT_FORKED, (uint64_t[]){SYS0(__NR_getppid), guest_private.generation, 0, 0}, reply);
}

void program_exec(struct probe_frame *f)
{
	uint64_t reply[2];
	post_event(EVENT_EXEC, (uint64_t[]){f->r[REG_RDI], f->r[REG_RSI], f->r[REG_RDX], f->r[REG_RAX]}, reply);
}

void program_exec_failed(struct probe_frame *f)
{
	uint64_t reply[2];
	post_event(EVENT_EXEC_FAILED, (uint64_t[]){f->r[REG_RAX], 0, 0, 0}, reply);
}

/* In place of the dynamic linker's debugger hook. */
__attribute__((used)) void modules_changed(void)
{
	uint64_t reply[2];
	post_event(EVENT_MODULES, (uint64_t[4]){0}, reply);
}
