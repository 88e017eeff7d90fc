/* Runs once in a fresh process, copied into a borrowed page of its text: maps zone 0 and takes over the signals. Must not refer to anything
 * outside this file, for it does not run at its linked address. Ends in a trap; rax = 0 or -errno, rdi = the step that failed. */
#define SYSTEM_CALL system_call_here
#include "guest/signals.h"

enum { READ = 1, WRITE = 2, EXEC = 4, SHARED = 1, PRIVATE = 2, FIXED = 0x10, ANONYMOUS = 0x20, NO_REPLACE = 0x100000 };

#define BOOT static inline __attribute__((always_inline))

BOOT long map_file(long fd, uint64_t at, uint64_t size, int protection, int how, uint64_t offset)
{
	long mapped = SYS6(__NR_mmap, at, size, protection, SHARED | how, fd, offset);
	return mapped < 0 && mapped > -4096 ? mapped : 0;
}

struct files {
	int32_t code, bell, shared;
};

/* From the supervisor, by a pair of sockets of which it takes one end. */
BOOT long receive_files(struct files *f)
{
	enum { FAMILY_UNIX = 1, SEQPACKET_CLOSE_ON_EXEC = 5 | 02000000, NOW_AND_CLOSE_ON_EXEC = 0x40 | 0x40000000 };
	int32_t pair[2];
	uint64_t byte, text[2], control[4], message[7];
	long status = SYS4(__NR_socketpair, FAMILY_UNIX, SEQPACKET_CLOSE_ON_EXEC, 0, pair);
	if (status)
		return status;
	__asm__ volatile("int3" : : "a"((long)pair[0]), "D"((long)BOOT_ASKS_FOR_FILES) : "memory");
	text[0] = (uint64_t)&byte;
	message[0] = message[1] = message[6] = 0;
	message[2] = (uint64_t)text;
	text[1] = message[3] = 1;
	message[4] = (uint64_t)control;
	message[5] = sizeof control;
	status = SYS3(__NR_recvmsg, pair[1], message, NOW_AND_CLOSE_ON_EXEC);
	SYS1(__NR_close, pair[0]);
	SYS1(__NR_close, pair[1]);
	if (status >= 0 && control[0] < 16 + sizeof *f)
		status = -24; /* EMFILE: the kernel drops those that find no number */
	*f = *(const struct files *)(control + 2);
	return status < 0 ? status : 0;
}

/* By the supervisor's /proc, unless this is another user's process by now. */
BOOT long open_files(const struct boot_arguments *a, struct files *f)
{
	enum { CLOSE_ON_EXEC = 02000000, READ_WRITE = 2, NOT_ALLOWED = -13 };
	f->bell = f->shared = -1;
	f->code = SYS3(__NR_open, a->code_path, CLOSE_ON_EXEC, 0);
	if (f->code == NOT_ALLOWED)
		return receive_files(f);
	f->bell = SYS3(__NR_open, a->bell_path, CLOSE_ON_EXEC | READ_WRITE, 0);
	f->shared = SYS3(__NR_open, a->shared_path, CLOSE_ON_EXEC | READ_WRITE, 0);
	return f->code < 0 ? f->code : f->bell < 0 ? f->bell : f->shared < 0 ? f->shared : 0;
}

BOOT long take_signals(const struct boot_arguments *a)
{
	const struct guest_header *header = (void *)a->zone;
	struct guest_private *private = (void *)(a->zone + GUEST_PRIVATE_OFFSET);
	for (int s = 1; s <= 64; s++) {
		if (!(a->own_signals & SIGNAL_BIT(s)))
			continue;
		struct guest_action action = {a->zone + header->entry[ENTRY_SIGNAL], OWN_FLAGS,
					      a->zone + header->entry[ENTRY_RESTORER], ~FAULT_SIGNALS};
		long status = SYS4(__NR_rt_sigaction, s, &action, &private->action[s], 8);
		if (status)
			return status;
	}
	uint32_t tid = SYS0(__NR_gettid);
	struct thread_signals *t = (struct thread_signals *)((uint8_t *)private + THREADS_OFFSET) + tid % SIGNAL_THREADS;
	if (a->blocked & FAULT_SIGNALS) { /* really, as long as we are here: the supervisor sets the mask to go on with */
		((struct guest_signals *)((uint8_t *)private + SIGNALS_OFFSET))->threads_used = 1;
		t->tid = tid;
		t->believed = a->blocked & FAULT_SIGNALS;
	}
	return 0;
}

/* The process page starts anew in a forked child. */
BOOT long mark_process(const struct boot_arguments *a)
{
	enum { WIPE_ON_FORK = 18 };
	struct guest_process *process = (void *)(a->zone + GUEST_PRIVATE_OFFSET + PROCESS_OFFSET);
	process->pid = SYS0(__NR_getpid);
	return SYS3(__NR_madvise, process, 4096, WIPE_ON_FORK);
}

/* Maps the alternate signal stacks and the table of threads; the first thread gets the first stack. */
BOOT long give_stack(const struct boot_arguments *a)
{
	enum { NO_RESERVE = 0x4000 };
	uint64_t private = a->zone + GUEST_PRIVATE_OFFSET, stacks = private + STACKS_OFFSET;
	struct signal_stack s = {.sp = stacks, .size = ALTSTACK_SIZE};
	uint64_t size = THREADS_OFFSET - STACKS_OFFSET + SIGNAL_THREADS * sizeof(struct thread_signals);
	long status = SYS6(__NR_mmap, stacks, size, READ | WRITE, PRIVATE | FIXED | ANONYMOUS | NO_RESERVE, -1, 0);
	if (status < 0 && status > -4096)
		return status;
	struct guest_signals *signals = (struct guest_signals *)(private + SIGNALS_OFFSET);
	signals->stack_owner[0] = SYS0(__NR_gettid);
	signals->stack_end = a->stack_end;
	return SYS2(__NR_sigaltstack, &s, NULL);
}

/* The supervisor's barriers then are a few microseconds' work instead of a scheduler's round. While there are no other threads, registering is quick, too. */
BOOT void expedite_barriers(const struct boot_arguments *a)
{
	enum { REGISTER_GLOBAL_EXPEDITED = 4 };
	struct guest_private *private = (void *)(a->zone + GUEST_PRIVATE_OFFSET);
	private->expedited = a->expedites && !SYS3(__NR_membarrier, REGISTER_GLOBAL_EXPEDITED, 0, 0);
}

__attribute__((section(".boot"), used, noreturn)) void entry_boot(const struct boot_arguments *a)
{
	struct files files;
	long status, step = 1;
	status = open_files(a, &files);
	if (!status && ++step)
		status = map_file(files.code, a->zone, a->code_size, READ | EXEC, NO_REPLACE, 0);
	if (!status && ++step)
		status = SYS6(__NR_mmap, a->zone + GUEST_PRIVATE_OFFSET, GUEST_BELL_OFFSET - GUEST_PRIVATE_OFFSET, READ | WRITE,
			      PRIVATE | FIXED | ANONYMOUS, -1, 0) > 0 ? 0 : -12;
	if (!status && ++step)
		status = map_file(files.bell, a->zone + GUEST_BELL_OFFSET, 4096, READ | WRITE, FIXED, a->bell_offset);
	if (!status && ++step)
		status = map_file(files.shared, a->zone + GUEST_SHARED_OFFSET, GUEST_SHARED_SIZE, READ | WRITE, FIXED, 0);
	if (!status && ++step && a->other_size)
		status = map_file(files.code, a->other_zone, a->other_size, READ | EXEC, NO_REPLACE, a->other_offset);
	SYS1(__NR_close, files.code);
	SYS1(__NR_close, files.bell);
	SYS1(__NR_close, files.shared);
	if (!status && ++step && a->no_exec_size)
		status = SYS3(__NR_mprotect, a->no_exec_start, a->no_exec_size, READ | WRITE | 0x01000000 /* PROT_GROWSDOWN */);
	if (!status && ++step)
		status = mark_process(a);
	if (!status && ++step)
		status = give_stack(a);
	if (!status && ++step)
		status = take_signals(a);
	if (!status)
		expedite_barriers(a);
	if (!status && a->shadow) /* arch_prctl doesn't take addresses of the upper half */
		__asm__ volatile("wrgsbase %0" : : "r"(a->shadow));
	__asm__ volatile("int3" : : "a"(status), "D"(step));
	__builtin_unreachable();
}

__attribute__((section(".boot.end"), used)) void entry_boot_end(void)
{
}
