/* The file of a snapshot: sections of records, most of them addressed by a procedure's record. Addresses of copies are distances from the module's text, signed:
 * what stands there holds wherever text and copies lie at that distance. */
#ifndef ENGINE_SNAPSHOT_FILE_H
#define ENGINE_SNAPSHOT_FILE_H

#include "engine/springboard.h"
#include "engine/stamp.h"

enum { SNAPSHOT_KIND_SIZE = 40 };

enum snapshot_section {
	SNAPSHOT_PROCEDURES, /* struct snapshot_procedure, by the address of the copy */
	SNAPSHOT_RANGES,     /* struct snapshot_range: the parts of a procedure */
	SNAPSHOT_EXTRAS,     /* uint64_t: module offsets, redirected.extra */
	SNAPSHOT_HOLES,      /* struct snapshot_hole */
	SNAPSHOT_HOPS,       /* struct snapshot_hop */
	SNAPSHOT_LANDED,     /* struct guest_landings: a range of a procedure each, ascending */
	SNAPSHOT_LANDINGS,   /* uint8_t: their entries of the landing map (landing_code.h) */
	SNAPSHOT_RETURNS,    /* struct snapshot_return */
	SNAPSHOT_REFUSED,    /* struct snapshot_refused */
	SNAPSHOT_EXTENTS,    /* struct snapshot_extent: the room that the copies take */
	SNAPSHOT_BOUNDARY,   /* uint64_t: text_plan.boundary, a bit a byte of text */
	SNAPSHOT_LANDABLE,   /* uint64_t: text_plan.landable */
	SNAPSHOT_TEXT,       /* uint8_t: the text to be, from the first byte of the first segment of text to the last of the last */
	SNAPSHOT_CODE,       /* uint8_t: the copies */
	SNAPSHOT_SECTIONS
};

struct snapshot_procedure {
	uint64_t entry;               /* module offset */
	int32_t code;                 /* its copy's distance from the text */
	uint32_t size;
	uint32_t code_at;             /* in SNAPSHOT_CODE */
	uint32_t range_at, range_count;
	uint32_t extra_at, extra_count;
	uint32_t hole_at, hole_count;
	uint32_t hop_at, hop_count;
	uint32_t return_at, return_count;
	uint32_t gate;                /* offset in the copy; 0: none */
};

struct snapshot_range {
	uint32_t range;   /* index of module.ranges */
	uint32_t padding; /* bytes behind it that are in the plan, too */
};

struct snapshot_hole {
	uint32_t at;   /* offset in the text */
	uint32_t goes; /* text_plan.hole_of */
};

/* A jump in the text that a hop makes safe: any hop with that distance's bytes trapping. */
struct snapshot_hop {
	uint32_t at;   /* of the jump: offset in the text */
	int32_t goes;  /* where to: distance from the text */
	uint32_t mask;
};

/* A copy makes a call with a return address of the text, which it holds in two halves. */
struct snapshot_return {
	uint32_t low, high; /* offsets in the copy */
	uint32_t text;      /* the return address: offset in the text */
};

struct snapshot_refused {
	uint32_t range;
	uint32_t why; /* enum refusal */
};

/* The code section has the copies of an extent at the distances from each other that they are to have. */
struct snapshot_extent {
	int32_t start, end; /* distances from the text */
	uint32_t code_at;   /* of the first byte, in SNAPSHOT_CODE */
};

struct snapshot_header {
	struct stamp stamp;
	uint64_t text_start, text_size; /* module offset, bytes */
	char kind[SNAPSHOT_KIND_SIZE]; /* what is woven into all copies, and how calls go */
	struct springboard_counts counts;
	struct {
		uint64_t at, count; /* offset in the file, records */
	} sections[SNAPSHOT_SECTIONS];
};

extern const uint32_t snapshot_record_size[SNAPSHOT_SECTIONS];
extern const char snapshot_magic[8];

static inline const void *snapshot_section(const struct snapshot_header *h, enum snapshot_section s)
{
	return (const uint8_t *)h + h->sections[s].at;
}

/* All that is addressed lies within. */
bool snapshot_is_sound(const struct snapshot_header *h, const struct module *m);

#endif
