/* main, found as the C library's start code does: its address is the first argument of the first call behind the program's entry (glibc), or of the first call in
 * what the entry calls (musl). Where the program is static, nothing else tells it from the library's procedures. */
#include "node/static_facts.h"

#include <string.h>

/* mov $imm32, %rdi or %edi; lea distance(%rip), %rdi. False: not one of these. */
static bool address_in_rdi(const uint8_t *bytes, const struct insn *i, uint64_t *address)
{
	int32_t word;
	uint32_t unsigned_word;
	if (i->length == 7 && bytes[0] == 0x48 && bytes[1] == 0xc7 && bytes[2] == 0xc7) {
		memcpy(&word, bytes + 3, 4);
		*address = (uint64_t)(int64_t)word;
	} else if (i->length == 5 && bytes[0] == 0xbf) {
		memcpy(&unsigned_word, bytes + 1, 4);
		*address = unsigned_word;
	} else if (i->length == 7 && bytes[0] == 0x48 && bytes[1] == 0x8d && bytes[2] == 0x3d) {
		*address = i->target;
	} else {
		return false;
	}
	return true;
}

/* The straight code from `at` to its first call or jump. Returns the address in rdi there, 0 if it isn't text; *next: where a direct one leads, else 0. */
static uint64_t first_argument(const struct module *m, uint64_t at, uint64_t *next)
{
	enum { STEPS = 40 };
	uint64_t argument = 0;
	*next = 0;
	for (int n = 0; n < STEPS; n++) {
		struct insn i;
		size_t available;
		const uint8_t *bytes = module_bytes(m, at, &available);
		if (!bytes || insn_decode(bytes, available, at, &i))
			return 0;
		if (insn_is_call(&i) || i.flow == FLOW_JUMP || i.flow == FLOW_JUMP_INDIRECT) {
			*next = i.flow == FLOW_CALL || i.flow == FLOW_JUMP ? i.target : 0;
			return argument && module_text(m, argument) ? argument : 0;
		}
		if (!insn_falls_through(&i))
			return 0;
		address_in_rdi(bytes, &i, &argument);
		at = insn_end(&i);
	}
	return 0;
}

uint64_t static_main(const struct module *m)
{
	enum { DEEP = 2 };
	uint64_t found = 0, at = m->entry;
	for (int depth = 0; at && !found && depth < DEEP; depth++)
		found = first_argument(m, at, &at);
	return found;
}
