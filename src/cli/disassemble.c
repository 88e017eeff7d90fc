#include "cli/disassemble.h"

#include <Zydis/Zydis.h>
#include <stdio.h>

struct disassembler {
	ZydisDecoder decoder;
	ZydisFormatter formatter;
};

static void init(struct disassembler *d)
{
	ZydisDecoderInit(&d->decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	ZydisFormatterInit(&d->formatter, ZYDIS_FORMATTER_STYLE_INTEL);
	ZydisFormatterSetProperty(&d->formatter, ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE, ZYDIS_PADDING_DISABLED);
	ZydisFormatterSetProperty(&d->formatter, ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, ZYAN_FALSE);
}

/* One line; returns the instruction's length, 0 if it is none. */
static size_t decode(const struct disassembler *d, const struct module *m, uint64_t offset, struct code_line *out)
{
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	size_t available;
	const uint8_t *bytes = module_bytes(m, offset, &available);
	if (!bytes || !ZYAN_SUCCESS(ZydisDecoderDecodeFull(&d->decoder, bytes, available, &insn, operands)))
		return 0;
	*out = (struct code_line){.offset = offset};
	for (unsigned i = 0; i < insn.length; i++)
		snprintf(out->bytes + 3 * i, sizeof out->bytes - 3 * i, "%02x ", bytes[i]);
	ZydisFormatterFormatInstruction(&d->formatter, &insn, operands, insn.operand_count_visible, out->text, sizeof out->text, offset, NULL);
	return insn.length;
}

/* Keeps the last CODE_BEFORE instructions in front of the point. Returns how many, or -1 if the walk steps over the point. */
static int decode_before(const struct disassembler *d, const struct module *m, uint64_t start, uint64_t point, struct code_line *lines)
{
	struct code_line ring[CODE_BEFORE];
	size_t count = 0;
	uint64_t offset = start;
	while (offset < point) {
		size_t length = decode(d, m, offset, &ring[count % CODE_BEFORE]);
		if (!length)
			return -1;
		offset += length;
		count++;
	}
	if (offset != point)
		return -1;
	size_t kept = count < CODE_BEFORE ? count : CODE_BEFORE;
	for (size_t i = 0; i < kept; i++)
		lines[i] = ring[(count - kept + i) % CODE_BEFORE];
	return kept;
}

size_t disassemble_around(const struct module *m, uint64_t offset, struct code_line lines[CODE_LINES_MAX])
{
	struct disassembler d;
	struct range range = {offset, UINT64_MAX};
	init(&d);
	module_range(m, offset, &range);
	int before = decode_before(&d, m, range.start, offset, lines);
	size_t count = before < 0 ? 0 : before, end = count + 1 + CODE_AFTER;
	uint64_t at = offset;
	while (count < end && at < range.end) {
		size_t length = decode(&d, m, at, &lines[count]);
		if (!length)
			break;
		lines[count++].is_point = at == offset;
		at += length;
	}
	return count;
}
