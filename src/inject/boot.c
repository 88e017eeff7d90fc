#include "inject/boot.h"

#include <clearview/guest_signals.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <unistd.h>

#include "base/log.h"
#include "base/vec.h"
#include "engine/zone.h"
#include "inject/handover.h"
#include "inject/maps.h"
#include "inject/memory.h"
#include "inject/trace.h"

extern const uint8_t blob_start[], blob_end[];

enum { PAGE = 4096, ARGUMENTS_AT = 2560, BOOT_MS = 60000 /* it takes one, on an idle machine */ };
#define CODE_FILE_SIZE (GUEST_CODE_OFFSET + 2 * ZONE_SIZE)

#define GUEST_SEALS (F_SEAL_SHRINK | F_SEAL_GROW)

static int make_memfd(const char *name, size_t size, void **host)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, size) || fcntl(fd, F_ADD_SEALS, GUEST_SEALS)) {
		int error = errno;
		close(fd);
		return -error;
	}
	*host = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (*host == MAP_FAILED) {
		int error = errno;
		close(fd);
		return -error;
	}
	return fd;
}

/* Whoever can open it must not be able to take away what we have mapped. */
static bool is_whole(int fd, size_t size)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);
	return !fstat(fd, &st) && (size_t)st.st_size == size && seals >= 0 && (seals & GUEST_SEALS) == GUEST_SEALS;
}

int guest_memory_make(struct guest_memory *g)
{
	void *code;
	*g = (struct guest_memory){.code_fd = make_memfd(CODE_MEMFD, CODE_FILE_SIZE, &code), .shared_fd = -1};
	if (g->code_fd < 0)
		return g->code_fd;
	g->code = code;
	g->shared_fd = make_memfd("clearview-shared", GUEST_SHARED_SIZE, &g->shared);
	if (g->shared_fd < 0) {
		int status = g->shared_fd;
		munmap(g->code, CODE_FILE_SIZE);
		close(g->code_fd);
		return status;
	}
	memcpy(g->code, blob_start, blob_end - blob_start);
	return 0;
}

int guest_memory_map(struct guest_memory *g, int code_fd, int shared_fd)
{
	*g = (struct guest_memory){.code_fd = code_fd, .shared_fd = shared_fd};
	if (!is_whole(code_fd, CODE_FILE_SIZE) || !is_whole(shared_fd, GUEST_SHARED_SIZE))
		return -EPROTO;
	g->code = mmap(NULL, CODE_FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, code_fd, 0);
	if (g->code == MAP_FAILED)
		return -errno;
	g->shared = mmap(NULL, GUEST_SHARED_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, shared_fd, 0);
	if (g->shared == MAP_FAILED) {
		int error = errno;
		munmap(g->code, CODE_FILE_SIZE);
		return -error;
	}
	return 0;
}

void guest_memory_release(struct guest_memory *g)
{
	munmap(g->code, CODE_FILE_SIZE);
	munmap(g->shared, GUEST_SHARED_SIZE);
	close(g->code_fd);
	close(g->shared_fd);
}

/* A free place for a zone near the anchor, plus `front` bytes before it; below if possible. */
static bool find_zone(const struct maps *maps, uint64_t anchor, uint64_t front, uint64_t *start, bool *above)
{
	*above = false;
	for (uint64_t shift = 0; shift < 1024ul << 20; shift += 16ul << 20)
		if (anchor > shift && zone_below(anchor - shift, start) && *start > front + 65536 && maps_free_range(maps, *start - front, *start + ZONE_SIZE))
			return true;
	*above = true;
	return zone_above(anchor, start) && maps_free_range(maps, *start - front, *start + ZONE_SIZE);
}

static void plan_stack(const struct maps *maps, struct boot_plan *out)
{
	for (size_t i = 0; i < maps->count; i++) {
		if (strcmp(maps->at[i].path, "[stack]"))
			continue;
		out->stack_end = maps->at[i].end;
		if (maps->at[i].executable) {
			out->no_exec_start = maps->at[i].start;
			out->no_exec_size = maps->at[i].end - maps->at[i].start;
		}
	}
}

int boot_plan_make(const struct maps *maps, uint64_t program_text, uint64_t loader_text, struct boot_plan *out)
{
	uint64_t main_anchor = loader_text ? loader_text : program_text;
	*out = (struct boot_plan){0};
	if (!find_zone(maps, main_anchor, GUEST_CODE_OFFSET, &out->zone[0], &out->above[0]))
		return -ENOSPC;
	out->base = out->zone[0] - GUEST_CODE_OFFSET;
	if (loader_text && !find_zone(maps, program_text, 0, &out->zone[1], &out->above[1]))
		out->zone[1] = 0; /* the program stays native, its libraries don't */
	plan_stack(maps, out);
	return 0;
}

static void fill_arguments(struct boot_arguments *a, const struct guest_memory *g, int bell_fd, const struct boot_plan *plan)
{
	*a = (struct boot_arguments){
		.zone = plan->base,
		.code_size = GUEST_CODE_OFFSET + ZONE_SIZE,
		.other_zone = plan->zone[1],
		.other_size = plan->zone[1] ? ZONE_SIZE : 0,
		.other_offset = GUEST_CODE_OFFSET + ZONE_SIZE,
		.shadow = plan->shadow,
		.no_exec_start = plan->no_exec_start,
		.stack_end = plan->stack_end,
		.no_exec_size = plan->no_exec_size,
		.bell_offset = plan->bell_offset,
		.expedites = plan->expedites,
		.own_signals = 1u << (SIGSEGV - 1) | 1u << (SIGBUS - 1) | 1u << (SIGFPE - 1) | 1u << (SIGILL - 1) | 1u << (SIGTRAP - 1) | 1u << (SIGABRT - 1),
	};
	snprintf(a->code_path, sizeof a->code_path, "/proc/%d/fd/%d", getpid(), g->code_fd);
	snprintf(a->shared_path, sizeof a->shared_path, "/proc/%d/fd/%d", getpid(), g->shared_fd);
	snprintf(a->bell_path, sizeof a->bell_path, "/proc/%d/fd/%d", getpid(), bell_fd);
}

/* Signals wait meanwhile: all are blocked but SIGTRAP, which the boot code's traps need. One that was sent is kept; it comes with what it carries in the end. */
struct booting {
	pid_t tid;
	uint64_t at;              /* of the borrowed page */
	const uint8_t *code;      /* what is in it */
	uint64_t last;            /* behind the trap it was resumed from */
	uint64_t mask;            /* signals that the program blocks, bit s-1 */
	siginfo_t sent;           /* si_signo 0: none */
	bool was_stopped;         /* by a SIGSTOP, which can't be blocked */
};

static int set_mask(pid_t tid, uint64_t mask)
{
	return ptrace(PTRACE_SETSIGMASK, tid, (void *)sizeof mask, &mask) ? -errno : 0;
}

/* Of a SIGTRAP. One that was sent and not yet delivered swallows that of an int3. */
static bool is_trap(struct booting *b, const struct user_regs_struct *regs)
{
	enum { INT3 = 0xcc };
	siginfo_t info;
	if (ptrace(PTRACE_GETSIGINFO, b->tid, NULL, &info) || info.si_code > 0)
		return true;
	if (!b->sent.si_signo) /* of several that are pending, the kernel keeps one */
		b->sent = info;
	uint64_t offset = regs->rip - 1 - b->at;
	return offset < PAGE && b->code[offset] == INT3 && regs->rip != b->last;
}

/* Runs until the boot code's trap. A process that doesn't get there, half set up, can't go on. */
static int run_to_trap(struct booting *b, struct user_regs_struct *regs)
{
	int signal;
	for (;;) {
		if (trace_resume(b->tid, 0))
			return -ESRCH;
		switch (trace_next(b->tid, true, &signal)) {
		case TRACE_TRAPPED:
			if (ptrace(PTRACE_GETREGS, b->tid, NULL, regs))
				return -errno;
			if (!is_trap(b, regs))
				break;
			b->last = regs->rip;
			return 0;
		case TRACE_GONE:
			return -ESRCH;
		case TRACE_NONE:
			kill(b->tid, SIGKILL);
			return -ETIMEDOUT;
		case TRACE_SIGNAL:
			if (signal != SIGSTOP)
				return -EFAULT;
			b->was_stopped = true;
			break;
		default:
			break;
		}
	}
}

/* What can't be given is missed by who asked, and said. */
static void give_files(pid_t pid, int number, const struct guest_memory *g, int bell_fd)
{
	int code = handover_read_only(g->code_fd), end = code < 0 ? -1 : handover_take(pid, number);
	if (end >= 0 && handover_send(end, (int[]){code, bell_fd, g->shared_fd}, 3))
		log_info("descriptors can't be sent to process %d", pid);
	if (code >= 0)
		close(code);
	if (end >= 0)
		close(end);
}

static int run(struct booting *b, const struct guest_memory *g, int bell_fd, int *step)
{
	struct user_regs_struct regs;
	trace_deadline(BOOT_MS);
	int status = run_to_trap(b, &regs);
	if (!status && regs.rdi == BOOT_ASKS_FOR_FILES) {
		give_files(b->tid, regs.rax, g, bell_fd);
		status = run_to_trap(b, &regs);
	}
	trace_deadline(0);
	if (status)
		return status;
	*step = regs.rdi;
	return (int)(int64_t)regs.rax;
}

/* Signals as the program is to find them: what it blocks, and what was sent to it meanwhile. Returns the signal to go on with. */
static int give_signals_back(const struct booting *b, bool is_guest)
{
	set_mask(b->tid, is_guest ? b->mask & ~FAULT_SIGNALS : b->mask);
	if (b->was_stopped)
		kill(b->tid, SIGSTOP);
	return b->sent.si_signo && !ptrace(PTRACE_SETSIGINFO, b->tid, NULL, &b->sent) ? SIGTRAP : 0;
}

int boot_run(pid_t tid, const struct guest_memory *g, int bell_fd, const struct boot_plan *plan, int *step, int *signal)
{
	const struct guest_header *header = (const struct guest_header *)blob_start;
	struct user_regs_struct saved, regs;
	uint8_t page[PAGE], borrowed[PAGE] = {0};
	struct booting b = {.tid = tid, .code = borrowed};
	struct boot_arguments arguments;
	*step = *signal = 0;
	if (ptrace(PTRACE_GETREGS, tid, NULL, &saved) || ptrace(PTRACE_GETSIGMASK, tid, (void *)sizeof b.mask, &b.mask))
		return -errno;
	b.at = saved.rip & ~(PAGE - 1ul);
	size_t code = header->entry[ENTRY_BOOT_END] - header->entry[ENTRY_BOOT];
	if (code > ARGUMENTS_AT)
		return -E2BIG;
	memory_forget(tid);
	int status = memory_read_all(tid, b.at, page, PAGE);
	if (status)
		return status;
	fill_arguments(&arguments, g, bell_fd, plan);
	arguments.blocked = b.mask;
	memcpy(borrowed, blob_start + header->entry[ENTRY_BOOT], code);
	memcpy(borrowed + ARGUMENTS_AT, &arguments, sizeof arguments);
	status = memory_write_text(tid, b.at, borrowed, PAGE);
	if (status)
		return status;
	regs = saved;
	regs.rip = b.at;
	regs.rdi = b.at + ARGUMENTS_AT;
	regs.rsp = ((saved.rsp - 8192) & ~15ul) - 8;
	regs.orig_rax = -1;
	if (trace_set_registers(tid, &regs) || set_mask(tid, ~SIGNAL_BIT(SIG_TRAP)))
		return -errno;
	status = run(&b, g, bell_fd, step);
	int restored = memory_write_text(tid, b.at, page, PAGE);
	if (trace_set_registers(tid, &saved) || restored)
		return restored ? restored : -errno;
	*signal = give_signals_back(&b, !status);
	return status;
}
