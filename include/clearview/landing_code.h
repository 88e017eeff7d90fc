/* Entries of landing maps in short: most take two bytes. Distances from the start of the module's text, of the text and of the copies. */
#ifndef CLEARVIEW_LANDING_CODE_H
#define CLEARVIEW_LANDING_CODE_H

#include <clearview/guest.h>

struct landing {
	uint32_t at;    /* of the instruction */
	int32_t code;   /* of where a landing there goes on */
	uint32_t flags; /* GUEST_MAP_CALL, GUEST_MAP_APPROVED */
};

/* Two bytes: flags in the high half and the distance in the text from the entry before, not 0, in the low half; the distance of the copies. Or a 0 and the whole. */
enum { LANDING_NEAR = 0x0f, LANDING_APPROVED = 0x10, LANDING_CALL = 0x20, LANDING_SIZE_MAX = 1 + sizeof(struct landing) };

/* Returns the number of bytes written to out. before: {0} for the first one. */
static inline unsigned landing_encode(const struct landing *before, const struct landing *l, uint8_t out[LANDING_SIZE_MAX])
{
	uint32_t text = l->at - before->at, code = l->code - before->code;
	if (text && text <= LANDING_NEAR && code <= UINT8_MAX) {
		out[0] = text | (l->flags & GUEST_MAP_APPROVED ? LANDING_APPROVED : 0) | (l->flags & GUEST_MAP_CALL ? LANDING_CALL : 0);
		out[1] = code;
		return 2;
	}
	out[0] = 0;
	__builtin_memcpy(out + 1, l, sizeof *l);
	return LANDING_SIZE_MAX;
}

/* The next one from [at, end) into *l, which holds the one before. Returns the end of its bytes; NULL: there is none, or not all of it. */
static inline const uint8_t *landing_decode(const uint8_t *at, const uint8_t *end, struct landing *l)
{
	if (end - at >= 2 && at[0]) {
		l->at += at[0] & LANDING_NEAR;
		l->code += at[1];
		l->flags = (at[0] & LANDING_APPROVED ? GUEST_MAP_APPROVED : 0) | (at[0] & LANDING_CALL ? GUEST_MAP_CALL : 0);
		return at + 2;
	}
	if (end - at < LANDING_SIZE_MAX)
		return 0;
	__builtin_memcpy(l, at + 1, sizeof *l);
	return at + LANDING_SIZE_MAX;
}

#endif
