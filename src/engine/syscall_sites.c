#include "engine/syscall_sites.h"

#include <sys/mman.h>

#include "base/vec.h"
#include "x86/insn.h"

typedef VEC(struct syscall_site) site_list;

enum { FROM_ARGUMENT = -1, ELSEWHERE = -2 };

/* What sets a system call's number: a constant, or the first argument, as in syscall(2). Numbers from elsewhere are kept over a call or two's distance by
 * compilers; they are loops around a call already seen, and not worth a probe. */
static void track_number(const uint8_t *bytes, const struct insn *i, int *number)
{
	if (bytes[0] == 0xb8 && i->length == 5)
		memcpy(number, bytes + 1, 4);
	else if (bytes[0] == 0x48 && bytes[1] == 0xc7 && bytes[2] == 0xc0 && i->length == 7)
		memcpy(number, bytes + 3, 4);
	else if ((bytes[0] == 0x31 || bytes[0] == 0x33) && bytes[1] == 0xc0)
		*number = 0;
	else if ((bytes[0] == 0x89 && bytes[1] == 0xf8) || (bytes[0] == 0x48 && bytes[1] == 0x89 && bytes[2] == 0xf8))
		*number = FROM_ARGUMENT;
	else if (i->flow == FLOW_SYSCALL)
		*number = ELSEWHERE;
}

static bool is_wanted(int number, const int *wanted, size_t count)
{
	if (number == FROM_ARGUMENT)
		return true;
	for (size_t i = 0; i < count; i++)
		if (wanted[i] == number)
			return true;
	return false;
}

static void scan_range(const struct module *m, const struct range *r, const int *wanted, size_t count, site_list *sites)
{
	int number = ELSEWHERE;
	struct insn i;
	for (uint64_t at = r->start; at < r->end; at += i.length) {
		size_t available;
		const uint8_t *bytes = module_bytes(m, at, &available);
		if (!bytes || insn_decode(bytes, available, at, &i))
			return;
		if (i.flow == FLOW_SYSCALL && is_wanted(number, wanted, count))
			vec_push(sites, (struct syscall_site){at, number});
		track_number(bytes, &i, &number);
	}
}

size_t syscall_sites(const struct module *m, const int *wanted, size_t wanted_count, struct syscall_site **out)
{
	site_list sites = {0};
	size_t last = SIZE_MAX;
	for (size_t s = 0; s < m->segment_count; s++) {
		const struct segment *text = &m->segments[s];
		const uint8_t *bytes = m->file + text->file_offset, *at = bytes, *end = bytes + text->file_size;
		if (!(text->protection & PROT_EXEC))
			continue;
		while ((at = memmem(at, end - at, "\x0f\x05", 2))) {
			size_t range = module_range_index(m, text->offset + (at - bytes));
			at += 2;
			if (range == SIZE_MAX || range == last)
				continue;
			last = range;
			scan_range(m, &m->ranges[range], wanted, wanted_count, &sites);
		}
	}
	*out = sites.at;
	return sites.count;
}
