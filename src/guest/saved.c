/* Activations of procedures that are known to overwrite their own frame and those above it: what was there when they were entered, so that they can
 * be left. An activation is known by its canonical frame address, which no two living ones share, in whatever thread.
 *
 *   low   frame of the procedure     overwritten, and of no use any more
 *         return address             <- cfa - 8, saved and put back
 *         the callers' frames        <- cfa, saved up to SAVED_BYTES, and put back as far as the overwriting went
 *   high
 *
 * The table is direct-mapped: a deep recursion overwrites entries of activations further up, which then can't be restored and fail as they would natively. */
#include "guest/guest_internal.h"

enum { SAVED_FRAMES = GUEST_SAVED_FRAMES, SAVED_BYTES = GUEST_SAVED_BYTES, PAGE = 4096, INTACT_WORDS = 32, BUSY = 1 };
enum { READ_WRITE = 3, PRIVATE_ANONYMOUS_UNRESERVED = 0x4022 };

struct saved_frame {
	uint64_t cfa;  /* 0: unused, BUSY: being written */
	uint64_t size; /* bytes of stack[], from cfa - 8 on */
	uint64_t r[16];
	uint64_t stack[SAVED_BYTES / 8];
};

_Static_assert(SAVED_FRAMES * sizeof(struct saved_frame) == GUEST_SAVED_SIZE, "the supervisor knows its size");

static struct saved_frame *table(bool make)
{
	uint64_t there = __atomic_load_n(&guest_private.saved_frames, __ATOMIC_ACQUIRE);
	if (there || !make)
		return (struct saved_frame *)there;
	long made = SYS6(__NR_mmap, 0, SAVED_FRAMES * sizeof(struct saved_frame), READ_WRITE, PRIVATE_ANONYMOUS_UNRESERVED, -1, 0);
	if (made < 0 && made > -4096)
		return NULL;
	if (__atomic_compare_exchange_n(&guest_private.saved_frames, &there, (uint64_t)made, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return (struct saved_frame *)made;
	SYS2(__NR_munmap, made, SAVED_FRAMES * sizeof(struct saved_frame));
	return (struct saved_frame *)there;
}

static struct saved_frame *entry_of(uint64_t cfa, bool make)
{
	struct saved_frame *t = table(make);
	return t ? &t[(cfa >> 4) * 0x9e3779b97f4a7c15ull >> 59] : NULL;
}

/* Up to SAVED_BYTES, less where the stack's mapping ends before. */
static uint64_t readable(uint64_t from)
{
	uint64_t word, end = from + SAVED_BYTES, at = from;
	while (at < end && read_word(at, 8, &word))
		at = (at & ~(PAGE - 1ull)) + PAGE;
	return (at < end ? at : end) - from;
}

void saved_enter(uint64_t cfa, const struct probe_frame *f)
{
	struct saved_frame *s = cfa ? entry_of(cfa, true) : NULL;
	uint64_t before = s ? __atomic_load_n(&s->cfa, __ATOMIC_RELAXED) : BUSY;
	if (before == BUSY || !__atomic_compare_exchange_n(&s->cfa, &before, BUSY, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	copy_memory(s->r, f->r, sizeof s->r);
	s->size = readable(cfa - 8);
	copy_memory(s->stack, (const void *)(cfa - 8), s->size);
	__atomic_store_n(&s->cfa, cfa, __ATOMIC_RELEASE);
}

/* Upwards, until so much is as it was that what overwrote it must have ended: what lies beyond was changed by the program on purpose. */
static void put_back(uint64_t *stack, const struct saved_frame *s)
{
	for (unsigned i = 0, intact = 0; i < s->size / 8 && intact < INTACT_WORDS; i++) {
		intact = stack[i] == s->stack[i] ? intact + 1 : 0;
		stack[i] = s->stack[i];
	}
}

bool saved_restore(uint64_t cfa, bool only_if_changed, struct probe_frame *f)
{
	static const uint8_t kept[] = {REG_RBX, REG_RBP, REG_R12, REG_R13, REG_R14, REG_R15};
	struct saved_frame *s = cfa ? entry_of(cfa, false) : NULL;
	uint64_t *stack = (uint64_t *)(cfa - 8);
	if (!s || __atomic_load_n(&s->cfa, __ATOMIC_ACQUIRE) != cfa || (only_if_changed && stack[0] == s->stack[0]))
		return false;
	put_back(stack, s);
	for (unsigned i = 0; i < sizeof kept; i++)
		f->r[kept[i]] = s->r[kept[i]];
	f->r[REG_R11] = cfa - 8;
	return true;
}
