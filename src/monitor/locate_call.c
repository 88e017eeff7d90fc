#include "monitor/locate_call.h"
#include "x86/insn.h"

#include <errno.h>

static int decode(const struct module *m, uint64_t offset, struct insn *out)
{
	size_t available;
	const uint8_t *bytes = module_text(m, offset) ? module_bytes(m, offset, &available) : NULL;
	return bytes ? insn_decode(bytes, available, offset, out) : -EFAULT;
}

/* The lengths calls have, the likeliest first: direct, through the GOT, through registers, through memory. */
static const uint8_t call_lengths[] = {5, 6, 2, 3, 7, 4, 8, 9};

static bool ends_here(const struct module *m, uint64_t after_call, uint64_t *call)
{
	struct insn i;
	for (size_t n = 0; n < sizeof call_lengths; n++) {
		uint64_t at = after_call - call_lengths[n];
		if (!decode(m, at, &i) && insn_is_call(&i) && i.length == call_lengths[n] && (i.flow != FLOW_CALL || module_text(m, i.target))) {
			*call = at;
			return true;
		}
	}
	return false;
}

bool locate_is_call(const struct module *m, uint64_t after_call, uint64_t *call)
{
	struct range range;
	struct insn i = {0};
	if (!ends_here(m, after_call, call))
		return false;
	if (!module_range(m, after_call - 1, &range))
		return true;
	for (uint64_t at = range.start; at < after_call; at = insn_end(&i)) {
		if (decode(m, at, &i))
			return false;
		*call = at;
	}
	return insn_end(&i) == after_call && insn_is_call(&i);
}
