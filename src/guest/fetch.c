/* Text that is redirected when it is first wanted: until then it can't be executed, and the fetch of an instruction there faults. The supervisor redirects what
 * lies on its pages; then they are made executable. Without a supervisor they are as they are: native. */
#include "guest/signals.h"

enum { READ = 1, EXEC = 4, PAGE = 4096, ACCESS_DENIED = 2, FETCH_ERROR = 0x10 };

static void make_executable(uint64_t pages)
{
	SYS3(__NR_mprotect, GUEST_PAGES_START(pages), GUEST_PAGES_SIZE(pages), READ | EXEC);
}

bool fetch_text(int signal, const struct guest_siginfo *info, const struct context *c)
{
	uint64_t reply[2], page = c->cr2 & ~(PAGE - 1ul);
	if (signal != SIG_SEGV || info->code != ACCESS_DENIED || !(c->error & FETCH_ERROR) || !guest_tables.lazy || !in_redirected_text(c->cr2))
		return false;
	if (!post_event(EVENT_FETCH, (uint64_t[]){c->cr2, 0, 0, 0}, reply))
		reply[0] = GUEST_PAGES(page, page + PAGE);
	if (!reply[0])
		return false;
	make_executable(reply[0]);
	return true;
}

void seal_text(void)
{
	uint64_t reply[2];
	for (uint64_t n = 0; guest_tables.lazy && !guest_signals.filtered && post_event(EVENT_SEAL, (uint64_t[]){n, 0, 0, 0}, reply) && reply[0]; n++)
		SYS3(__NR_mprotect, GUEST_PAGES_START(reply[0]), GUEST_PAGES_SIZE(reply[0]), READ);
}

void fetch_all_text(void)
{
	uint64_t reply[2];
	for (uint64_t n = 0; guest_tables.lazy && post_event(EVENT_FETCH, (uint64_t[]){0, n, 0, 0}, reply) && reply[0]; n++)
		make_executable(reply[0]);
}
