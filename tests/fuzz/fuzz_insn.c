/* Any bytes as code: decoding stays within them, and every operand it tells can go out as JSON and come back as itself. The first
 * two bytes say where in the input to start. */
#include "repair/patch_json.h"
#include "x86/insn.h"
#include "x86/operands.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_operand(const struct operand_read *read, uint64_t offset)
{
	struct invariant i = {.kind = INVARIANT_LOWER_BOUND, .procedure = offset,
			      .a = {.at = {{"c0ffee"}, offset}, .slot = read->slot, .operand = read->operand}}, again;
	char reason[256];
	json_t *json = invariant_to_json(&i);
	if (invariant_from_json(json, &again, reason, sizeof reason) || !operand_equal(&read->operand, &again.a.operand))
		abort();
	json_decref(json);
}

/* The module's text starts high enough that rip-relative operands stay in it. */
static size_t check_insn(const uint8_t *data, size_t size, uint64_t offset)
{
	struct insn insn;
	struct operands operands;
	if (insn_decode(data, size, offset, &insn))
		return 1;
	if (!insn.length || insn.length > 15 || insn.length > size || insn.rip_offset + (insn.rip_offset ? 4u : 0u) > insn.length)
		abort();
	if (operands_decode(data, size, offset, &operands) || operands.read_count > OPERANDS_MAX)
		abort();
	for (unsigned i = 0; i < operands.read_count; i++)
		check_operand(&operands.read[i], offset);
	return insn.length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { INSTRUCTIONS_MAX = 200 };
	uint64_t offset = 1ull << 32;
	size_t at = size > 2 ? (data[0] | data[1] << 8) % size : 0;
	for (unsigned n = 0; at < size && n < INSTRUCTIONS_MAX; n++) {
		/* a copy of its own: reading one byte too many is seen */
		size_t length = size - at < 15 ? size - at : 15;
		uint8_t *bytes = malloc(length);
		for (size_t i = 0; i < length; i++)
			bytes[i] = data[at + i];
		at += check_insn(bytes, length, offset + at);
		free(bytes);
	}
	return 0;
}
