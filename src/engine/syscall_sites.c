#include "engine/syscall_sites.h"

#include <string.h>
#include <sys/mman.h>

#include "base/vec.h"
#include "engine/analysis.h"
#include "x86/insn.h"
#include "x86/operands.h"

typedef VEC(struct syscall_site) site_list;

enum { UNKNOWN = -1, REGISTERS = 16 };

/* Constants in registers, as far as a scan straight down sees them: compilers set the number right before, or keep it in a register around a loop. */
typedef int constants[REGISTERS];

struct move {
	uint8_t rex, opcode, mod, reg, rm;
	const uint8_t *immediate; /* of a move without ModRM, and behind one with it */
};

static struct move parts(const uint8_t *bytes)
{
	struct move m = {.rex = (bytes[0] & 0xf0) == 0x40 ? *bytes++ : 0, .opcode = bytes[0], .mod = bytes[1] >> 6};
	m.reg = (bytes[1] >> 3 & 7) | (m.rex & 4) << 1;
	m.rm = (bytes[1] & 7) | (m.rex & 1) << 3;
	m.immediate = bytes + ((m.opcode & 0xf8) == 0xb8 ? 1 : 2);
	return m;
}

static void track(const uint8_t *bytes, const struct insn *i, constants known)
{
	struct move m = parts(bytes);
	struct operands o;
	constants before;
	memcpy(before, known, sizeof before);
	uint32_t written = operands_decode(bytes, i->length, i->address, &o) ? ~0u : o.registers_written;
	for (int r = 0; r < REGISTERS; r++)
		if (written & 1u << r)
			known[r] = UNKNOWN;
	if ((m.opcode & 0xf8) == 0xb8 && i->length == 5 + !!m.rex)
		memcpy(&known[(m.opcode & 7) | (m.rex & 1) << 3], m.immediate, 4);          /* mov $number, %r32 */
	else if (m.opcode == 0xc7 && m.mod == 3 && i->length == 6 + !!m.rex)
		memcpy(&known[m.rm], m.immediate, 4);                                         /* mov $number, %r64 */
	else if ((m.opcode == 0x31 || m.opcode == 0x33) && m.mod == 3 && m.reg == m.rm)
		known[m.rm] = 0;                                                                /* xor */
	else if (m.opcode == 0x89 && m.mod == 3)
		known[m.rm] = before[m.reg];
	else if (m.opcode == 0x8b && m.mod == 3)
		known[m.reg] = before[m.rm];
}

static bool is_wanted(int number, const int *wanted, size_t count)
{
	if (number == UNKNOWN)
		return true;
	for (size_t i = 0; i < count; i++)
		if (wanted[i] == number)
			return true;
	return false;
}

static void scan_range(const struct module *m, const struct range *r, const int *wanted, size_t count, site_list *sites)
{
	constants known;
	struct insn i;
	memset(known, 0xff, sizeof known);
	for (uint64_t at = r->start; at < r->end; at += i.length) {
		size_t available;
		const uint8_t *bytes = module_bytes(m, at, &available);
		if (!bytes || insn_decode(bytes, available, at, &i))
			return;
		if (i.flow == FLOW_SYSCALL && is_wanted(known[REG_RAX], wanted, count))
			vec_push(sites, (struct syscall_site){at, known[REG_RAX]});
		track(bytes, &i, known);
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

static uint64_t list_name(const int *wanted, size_t count)
{
	uint64_t h = count + 1;
	for (size_t i = 0; i < count; i++)
		h = (h ^ (unsigned)wanted[i]) * 0x9e3779b97f4a7c15u;
	return h | 1;
}

const struct syscall_site *module_syscall_sites(struct module *m, const int *wanted, size_t wanted_count, size_t *count)
{
	uint64_t name = list_name(wanted, wanted_count);
	if (m->sites_wanted != name) {
		if (!analysis_owns(m, m->sites))
			free(m->sites);
		m->site_count = syscall_sites(m, wanted, wanted_count, &m->sites);
		m->sites_wanted = name;
		m->learned = true;
	}
	*count = m->site_count;
	return m->sites;
}
