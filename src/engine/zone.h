/* A zone: a stretch of code cache within reach of the modules it serves. Where it lies and which part is used for what makes springboards safe: a springboard's 32-bit
 * displacement must be made of bytes that trap wherever an original instruction started (see springboard.h), and distance decides
 * the top byte.
 *
 *   below the modules (the usual case), distances from `anchor`:
 *     -320 MB ........ -256 MB ............ -96 MB ......... -64 MB        anchor
 *     | copies, later  | hops (f4: -192 MB) | copies, first  |    free     | modules ...
 *       top byte ec..ef                       top byte fa, fb
 *   above (programs at fixed low addresses):
 *     anchor  modules, heap ...  +1536 MB ............ +1728 MB ... +1792 MB
 *                                | hops (60, 61 first) | copies: 6c..6f   |
 */
#ifndef ENGINE_ZONE_H
#define ENGINE_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"

#define ZONE_SIZE (256ul << 20)
enum { HOP_PAGES_OPEN = 64 }; /* one in eight suits where all of a distance's bytes have to trap */

struct zone {
	uint64_t start;      /* guest address; ZONE_SIZE bytes */
	uint8_t *host;       /* the same bytes, writable */
	uint64_t stub_probe; /* guest address of `jmp *blob's probe entry` */
	struct { uint64_t next, end; } copies[2]; /* guest addresses; the second is used when the first is full */
	struct zone_gap { uint64_t next, end; } gaps[16]; /* room that was passed over for want of the right distance: another module's may be right there */
	uint64_t *last;      /* the `next` of where room was taken last */
	VEC(struct zone_piece { uint64_t start, end; }) pieces; /* behind `next`, and handed out all the same: zone_claim */
	uint64_t spare;      /* bytes of room that are kept for copies with something woven into them */
	uint64_t hop_start, hop_end;
	uint64_t *next_copy;   /* where copies[].next are kept for a later supervisor, and which pages of the stretch of hops have some; NULL: nowhere */
	uint8_t *hop_pages;
	uint64_t hop_cursor[16]; /* by mask: where the last search ended; hops are never given back */
	uint64_t hop_open[HOP_PAGES_OPEN]; /* pages with some: the last that were begun */
	unsigned hop_opened;
};

/* The zone for modules from `anchor` on; false when it would wrap around address 0 (then use zone_above). */
bool zone_below(uint64_t anchor, uint64_t *start);
bool zone_above(uint64_t anchor, uint64_t *start);
/* Sets up the bookkeeping of a zone at `start`; host is its writable mapping. */
void zone_init(struct zone *z, uint64_t start, bool above, uint8_t *host);
void zone_release(struct zone *z);
/* Goes on in a zone that a former supervisor has filled, with what it kept in next_copy and hop_pages, which are kept on. */
void zone_resume(struct zone *z, uint64_t next_copy[2], uint8_t *hop_pages);

static inline uint8_t *zone_host(const struct zone *z, uint64_t guest)
{
	return z->host + (guest - z->start);
}

static inline bool zone_holds(const struct zone *z, uint64_t guest)
{
	return guest - z->start < ZONE_SIZE;
}

/* Every address of [start, end) can be reached with 32 bits from everywhere in the zone, and the other way round. */
bool zone_reaches(const struct zone *z, uint64_t start, uint64_t end);

/* Room for a copy of up to `size` bytes; 0 when full. Give back what was not used with zone_trim, before anything else is reserved. */
uint64_t zone_reserve(struct zone *z, size_t size);
/* The same for the copy of code at `text`: where the third byte of the distance between the two traps, if room isn't short, so that the springboards need hops
 * less often. */
uint64_t zone_reserve_for(struct zone *z, size_t size, uint64_t text);
void zone_trim(struct zone *z, uint64_t end);
/* Nothing of it has been handed out, and all of it is room for copies. */
bool zone_is_free(const struct zone *z, uint64_t start, uint64_t end);
/* Hands out exactly that. */
void zone_claim(struct zone *z, uint64_t start, uint64_t end);

/* A module whose copies are to be found again at the same distance from its text (snapshot.h) gets room apart from what comes and goes, with a distance to what other
 * modules have: between begin and end room is taken there, and zone_claim keeps what it was used for. expected: bytes, about; all in one stretch with a distance behind
 * it if one has that, for what lies at both ends of the zone fits in at no other distance. */
struct zone_apart {
	uint64_t next[2];
	struct zone_gap gaps[16];
};
void zone_begin_apart(struct zone *z, size_t expected, struct zone_apart *before);
void zone_end_apart(struct zone *z, const struct zone_apart *before);

/* No more is left than what is kept for copies that something needs: system calls must be watched in libraries that come last, too. */
bool zone_is_short(const struct zone *z);
/* Bytes of room for copies that were never used. */
uint64_t zone_left(const struct zone *z);

/* A byte value that can't be executed in 64-bit user mode and never will be: invalid, or privileged. */
bool is_trap_byte(uint8_t byte);

/* A hop: `jmp target` at an address whose distance from `from` (the byte behind the springboard) has trap bytes where `mask` bit k says so
 * (k = 0: lowest byte). Returns its guest address, 0 if there is none. */
uint64_t zone_hop(struct zone *z, uint64_t from, unsigned mask, uint64_t target);

#endif
