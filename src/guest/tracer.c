/* ptrace. Where calls lead straight to copies, the supervisor hears of who is going to be traced, and leads them back to the entries, where breakpoints are put. And a
 * tracer may set registers as it has read them, although the gs base is the shadow's: the kernel takes no such address, but comes to it when everything has been set
 * that matters here; behind it are the data segments only. */
#include "guest/signals.h"

enum { TRACE_ME = 0, SET_USER = 6, SET_REGISTERS = 13, ATTACH = 16, SET_REGISTER_SET = 0x4205, SEIZE = 0x4206, STATUS_REGISTERS = 1, GS_BASE = 22 * 8, EIO_ = 5 };

/* The gs base that the request sets; 0: none. */
static uint64_t wanted_gs_base(const struct probe_frame *f)
{
	uint64_t registers = f->r[REG_R10], size, value = 0;
	switch (f->r[REG_RDI]) {
	case SET_USER:
		return f->r[REG_RDX] == GS_BASE ? f->r[REG_R10] : 0;
	case SET_REGISTER_SET:
		if (f->r[REG_RDX] != STATUS_REGISTERS || !read_word(f->r[REG_R10] + 8, 8, &size) || size < GS_BASE + 8 || !read_word(f->r[REG_R10], 8, &registers))
			return 0;
		break;
	case SET_REGISTERS:
		break;
	default:
		return 0;
	}
	return read_word(registers + GS_BASE, 8, &value) ? value : 0;
}

bool program_ptrace(struct probe_frame *f)
{
	uint64_t request = f->r[REG_RDI], reply[2];
	if (request == TRACE_ME || request == ATTACH || request == SEIZE)
		post_event(EVENT_TRACED, (uint64_t[4]){request == TRACE_ME ? 0 : f->r[REG_RSI]}, reply);
	if (!guest_tables.shadow || guest_signals.filtered || wanted_gs_base(f) != guest_tables.shadow)
		return false;
	long result = SYS4(__NR_ptrace, request, f->r[REG_RSI], f->r[REG_RDX], f->r[REG_R10]);
	f->r[REG_RAX] = result == -EIO_ ? 0 : result;
	return true;
}
