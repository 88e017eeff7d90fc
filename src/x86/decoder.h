/* What every user of Zydis here needs: the decoder for 64-bit mode, and its registers as our hardware numbers. */
#ifndef X86_DECODER_H
#define X86_DECODER_H

#include <Zydis/Zydis.h>
#include <clearview/operand.h>
#include <stdbool.h>

static inline const ZydisDecoder *decoder(void)
{
	static ZydisDecoder it;
	static bool ready;
	if (!ready) {
		ZydisDecoderInit(&it, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
		ready = true;
	}
	return &it;
}

/* The general register (hardware number) that holds it, or REG_NONE. */
static inline uint8_t general(ZydisRegister r)
{
	switch (ZydisRegisterGetClass(r)) {
	case ZYDIS_REGCLASS_GPR8:
	case ZYDIS_REGCLASS_GPR16:
	case ZYDIS_REGCLASS_GPR32:
	case ZYDIS_REGCLASS_GPR64:
		return ZydisRegisterGetId(ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, r));
	default:
		return REG_NONE;
	}
}

#endif
