/* The check map: marks of the heap's blocks for code that looks before it writes. Marks are stores of single bytes to what one thread owns; pieces of
 * the map appear when they are first touched, by the fault handler, as in shadow.c. */
#include "guest/heap_check.h"

#include "guest/heap_internal.h"
#include "guest/signals.h"

enum { READ_WRITE = 3, PRIVATE_ANONYMOUS_UNRESERVED_FRESH = 0x104022, DONT_DUMP = 16, DONT_NEED = 4, EXISTS = -17, MAP_ERROR = 1, LARGE = 4096, PAGE = 4096 };
enum { GRANULE = 1 << HEAP_CHECK_BITS, ZERO_FLAG = 0x40, DIRECTION_FLAG = 0x400, TOLD = 256, ALLOCATORS = 1 << 16 };

static uint8_t *check_at(uint64_t address)
{
	return (uint8_t *)(HEAP_CHECK_MAP + (address >> HEAP_CHECK_BITS));
}

/* A piece that another thread has made meanwhile is there, too. */
static bool make_piece(uint64_t at)
{
	uint64_t piece = at & ~(HEAP_CHECK_PIECE - 1ull);
	long made = SYS6(__NR_mmap, piece, HEAP_CHECK_PIECE, READ_WRITE, PRIVATE_ANONYMOUS_UNRESERVED_FRESH, -1, 0);
	if (made == (long)piece)
		SYS3(__NR_madvise, piece, HEAP_CHECK_PIECE, DONT_DUMP);
	return made == (long)piece || made == EXISTS;
}

/* The blob itself writes to the map only where it is. */
static bool is_made(uint64_t address)
{
	uint64_t value;
	return read_word((uint64_t)check_at(address), 1, &value) || make_piece((uint64_t)check_at(address));
}

static bool is_made_throughout(uint64_t start, uint64_t end)
{
	enum { REACH = HEAP_CHECK_PIECE << HEAP_CHECK_BITS };
	for (uint64_t at = start; at < end; at = (at | (REACH - 1)) + 1)
		if (!is_made(at))
			return false;
	return true;
}

void check_prepare(uint64_t heap_end, uint64_t ahead)
{
	uint8_t here;
	is_made(heap_end);
	is_made(heap_end + ahead);
	is_made((uint64_t)&here);
	for (uint32_t i = 0; i < guest_tables.module_count; i++) { /* data lie behind the text */
		is_made(guest_tables.module[i].start);
		is_made(guest_tables.module[i].end + ahead / 4);
	}
}

/* Memory that is fresh from the kernel is marked so already: don't touch what needn't be. */
static void clear_marks(uint8_t *from, uint8_t *to)
{
	if (to - from < LARGE) {
		set_memory(from, 0, to - from);
		return;
	}
	for (; from < to && (uint64_t)from & 7; from++)
		*from = 0;
	for (; from + 8 <= to; from += 8)
		if (*(uint64_t *)from)
			*(uint64_t *)from = 0;
	for (; from < to; from++)
		*from = 0;
}

void check_block_live(uint64_t p, uint64_t size, uint64_t usable)
{
	uint64_t end = p + usable;
	uint8_t *last = check_at(end - 1), *partial = check_at(p + size);
	if (!is_made_throughout(p, end))
		return;
	clear_marks(check_at(p), partial);
	if (size % GRANULE)
		*partial++ = size % GRANULE;
	if (partial <= last)
		set_memory(partial, HEAP_CHECK_BEYOND, last - partial + 1);
}

void check_block_freed(uint64_t p, uint64_t usable, bool goes)
{
	uint64_t end = p + usable;
	if (goes)
		check_forget(p, usable);
	else if (is_made_throughout(p, end))
		set_memory(check_at(p), HEAP_CHECK_FREED, check_at(end - 1) - check_at(p));
}

void check_forget(uint64_t start, uint64_t size)
{
	enum { REACH = 1 << HEAP_REGION_BITS };
	uint64_t end = start + size;
	for (uint64_t at = start; at < end; at = (at | (REACH - 1)) + 1) {
		uint64_t stop = (at | (REACH - 1)) + 1;
		if (!heap_entry_at(at) || !is_made(at)) /* no block was ever there */
			continue;
		uint8_t *from = check_at(at), *to = check_at((stop < end ? stop : end) + GRANULE - 1);
		uint64_t first = ((uint64_t)from + PAGE - 1) & ~(PAGE - 1ull), last = (uint64_t)to & ~(PAGE - 1ull);
		if (first < last && last - first > LARGE) {
			SYS3(__NR_madvise, first, last - first, DONT_NEED);
			clear_marks((uint8_t *)last, to);
			to = (uint8_t *)first;
		}
		clear_marks(from, to);
	}
}

/* cmpb $0, HEAP_CHECK_MAP(%reg): its length; 0: it is something else. */
static unsigned look_length(const uint8_t *at)
{
	unsigned rex = *at == 0x41;
	return at[rex] == 0x80 && (at[rex + 1] & 0xf8) == 0xb8 && *(const uint32_t *)(at + rex + 2) == HEAP_CHECK_MAP ? rex + 7 : 0;
}

bool check_fault(int signal, const struct guest_siginfo *info, struct context *c)
{
	if ((signal != SIG_SEGV && signal != SIG_BUS) || !guest_tables.heap_checks || !in_copies(c->rip))
		return false;
	unsigned length = look_length((const uint8_t *)c->rip);
	if (!length)
		return false;
	bool is_map = info->code == MAP_ERROR && info->address >= HEAP_CHECK_MAP && info->address < HEAP_CHECK_END;
	if (is_map && make_piece(info->address))
		return true;
	c->rflags |= ZERO_FLAG; /* no address, or no memory for a map: nothing forbids the write */
	c->rip += length;
	return true;
}

static uint64_t register_of(const struct context *c, uint8_t reg)
{
	const uint64_t *const all[16] = {&c->rax, &c->rcx, &c->rdx, &c->rbx, &c->rsp, &c->rbp, &c->rsi, &c->rdi,
					 &c->r8,  &c->r9,  &c->r10, &c->r11, &c->r12, &c->r13, &c->r14, &c->r15};
	return reg < 16 ? *all[reg] : 0;
}

/* The first byte of the range that must not be written; 0: there is none. */
static uint64_t forbidden(uint64_t start, uint64_t end)
{
	uint64_t value;
	for (uint64_t at = start; at < end; at = (at | (GRANULE - 1)) + 1) {
		if (!read_word((uint64_t)check_at(at), 1, &value)) /* no map: skip to where the next piece begins */
			return 0;
		uint64_t granule = at & ~(GRANULE - 1ull), stop = end < granule + GRANULE ? end : granule + GRANULE, allowed = (uint8_t)value;
		if (!allowed)
			continue;
		if (allowed >= GRANULE)
			return at;
		if (stop > granule + allowed)
			return at > granule + allowed ? at : granule + allowed;
	}
	return 0;
}

/* What follows may be written, too, up to so many granules. */
static void allow(uint64_t address, unsigned granules)
{
	uint64_t value;
	for (unsigned i = 0; i < granules; i++, address += GRANULE) {
		uint8_t *at = check_at(address);
		if (!read_word((uint64_t)at, 1, &value) || !(uint8_t)value)
			return;
		*at = 0;
	}
}

void check_write(const struct strict_write *w, const struct guest_siginfo *info, struct context *c)
{
	uint64_t start = register_of(c, w->base) + register_of(c, w->index) * w->scale + (int64_t)w->displacement, size = w->size, reply[2];
	if (w->is_string) {
		size *= c->rcx;
		start = c->rflags & DIRECTION_FLAG ? c->rdi + w->size - size : c->rdi;
	}
	uint64_t bad = forbidden(start, start + size);
	if (!bad || act_on_write(c))
		return;
	if (!post_event(EVENT_WRITE, (uint64_t[]){(uint64_t)info, (uint64_t)c, bad, *check_at(bad)}, reply))
		return;
	if (reply[0] != VERDICT_RESUME) /* the allocator's own; or what was told once is not told again, and the program goes on as it would natively */
		allow(bad, reply[0] == VERDICT_PROGRAM ? ALLOCATORS : TOLD);
}
