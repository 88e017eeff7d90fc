#include "engine/refusal.h"

#include <errno.h>
#include <stddef.h>

static const struct {
	int status; /* 0: none leads to it */
	const char *text;
} refusals[REFUSALS] = {
	[REFUSED_UNREADABLE] = {-EILSEQ, "no instruction at the entry"},
	[REFUSED_SHARED] = {-EBUSY, "code shared with another procedure"},
	[REFUSED_UNREACHABLE] = {-ERANGE, "out of reach of the code cache"},
	[REFUSED_FULL] = {-ENOSPC, "code cache full"},
	[REFUSED_REWRITTEN] = {0, "rewritten by the program"},
	[REFUSED_RESTARTABLE] = {-ENOTSUP, "restartable sequences (rseq)"},
	[REFUSED_OTHER] = {0, "other reasons"},
};

enum refusal refusal_of(int status)
{
	for (int i = 0; i < REFUSALS; i++)
		if (refusals[i].status && refusals[i].status == status)
			return i;
	return REFUSED_OTHER;
}

const char *refusal_text(enum refusal why)
{
	return refusals[why].text;
}
