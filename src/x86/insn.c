#include "x86/insn.h"

#include <Zydis/Zydis.h>
#include <cpuid.h>
#include <errno.h>

/* With an operand-size prefix, AMD's near branches have 16-bit targets, and displacements; Intel's take no notice of it. */
static bool is_amd(void)
{
	enum { HYGON_ECX = 0x656e6975 };
	unsigned highest, b, c, d;
	return __get_cpuid(0, &highest, &b, &c, &d) && (c == signature_AMD_ecx || c == HYGON_ECX);
}

static bool amd;

static const ZydisDecoder *decoder(void)
{
	static ZydisDecoder it;
	static bool ready;
	if (!ready) {
		ZydisDecoderInit(&it, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
		amd = is_amd();
		ZydisDecoderEnableMode(&it, ZYDIS_DECODER_MODE_AMD_BRANCHES, amd);
		ready = true;
	}
	return &it;
}

static bool is_direct(const ZydisDecodedInstruction *z)
{
	return z->raw.imm[0].size && z->raw.imm[0].is_relative;
}

/* Not to the first 64 KB, and not one of those that the decoder knows but no processor of this kind (on mask registers). */
static bool is_ordinary_branch(const ZydisDecodedInstruction *z)
{
	bool narrow = amd && z->attributes & ZYDIS_ATTRIB_HAS_OPERANDSIZE && !(z->attributes & ZYDIS_ATTRIB_HAS_REX && z->raw.rex.W);
	return !narrow && z->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY;
}

static enum insn_flow flow_of(const ZydisDecodedInstruction *z)
{
	switch (z->meta.category) {
	case ZYDIS_CATEGORY_CALL:
		return is_direct(z) ? FLOW_CALL : FLOW_CALL_INDIRECT;
	case ZYDIS_CATEGORY_UNCOND_BR:
		return is_direct(z) ? FLOW_JUMP : FLOW_JUMP_INDIRECT;
	case ZYDIS_CATEGORY_COND_BR:
		return z->mnemonic == ZYDIS_MNEMONIC_XBEGIN ? FLOW_XBEGIN : FLOW_BRANCH;
	case ZYDIS_CATEGORY_RET:
		return FLOW_RETURN;
	default:
		break;
	}
	switch (z->mnemonic) {
	case ZYDIS_MNEMONIC_XBEGIN:
		return FLOW_XBEGIN;
	case ZYDIS_MNEMONIC_SYSCALL:
		return FLOW_SYSCALL;
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
	case ZYDIS_MNEMONIC_HLT:
	case ZYDIS_MNEMONIC_INT3:
		return FLOW_STOP;
	default:
		return FLOW_NEXT;
	}
}

static uint8_t condition_of(const ZydisDecodedInstruction *z)
{
	switch (z->mnemonic) {
	case ZYDIS_MNEMONIC_JCXZ:
	case ZYDIS_MNEMONIC_JECXZ:
	case ZYDIS_MNEMONIC_JRCXZ:
	case ZYDIS_MNEMONIC_LOOP:
	case ZYDIS_MNEMONIC_LOOPE:
	case ZYDIS_MNEMONIC_LOOPNE:
		return 0xff;
	default:
		return z->opcode & 15;
	}
}

int insn_decode(const uint8_t *bytes, size_t available, uint64_t address, struct insn *out)
{
	ZydisDecodedInstruction z;
	ZydisDecoderContext context;
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(decoder(), &context, bytes, available, &z)))
		return -EILSEQ;
	if (is_direct(&z) && !is_ordinary_branch(&z))
		return -EILSEQ; /* only where it stands can it do what it does */
	*out = (struct insn){.address = address, .length = z.length, .flow = flow_of(&z)};
	uint64_t end = address + z.length;
	if (is_direct(&z))
		out->target = end + z.raw.imm[0].value.s;
	if (out->flow == FLOW_BRANCH)
		out->condition = condition_of(&z);
	if (z.attributes & ZYDIS_ATTRIB_IS_RELATIVE && z.raw.disp.size == 32) {
		out->rip_offset = z.raw.disp.offset;
		out->target = end + z.raw.disp.value;
	}
	return 0;
}

bool insn_is_filler(const struct insn *i, const uint8_t *bytes)
{
	unsigned k = 0;
	while (k + 1u < i->length && (bytes[k] == 0x66 || bytes[k] == 0x2e))
		k++;
	return bytes[k] == 0x90 || bytes[k] == 0xcc || (k + 1u < i->length && bytes[k] == 0x0f && bytes[k + 1] == 0x1f);
}
