/* What the files of snapshots share among themselves. */
#ifndef ENGINE_SNAPSHOT_PRIVATE_H
#define ENGINE_SNAPSHOT_PRIVATE_H

#include "engine/snapshot.h"
#include "engine/snapshot_file.h"

#define SNAPSHOTS_SIZE_MAX (1ul << 30) /* bytes, of all in the folder */

enum { REFUSED_RANGE = UINT32_MAX };

/* One in use. */
struct snapshot {
	const struct snapshot_header *h; /* the file, mapped; the module's */
	int32_t *hops;                   /* by hop: the displacement to it; 0: there was none to be had */
	uint32_t *by_range;              /* procedure + 1; REFUSED_RANGE; 0: not there, or already asked for */
	size_t left;                     /* procedures nobody has asked for */
	bool staged;
	uint32_t generation;             /* of the commit that wrote it */
};

static inline const struct snapshot_procedure *snapshot_procedures(const struct snapshot *s)
{
	return snapshot_section(s->h, SNAPSHOT_PROCEDURES);
}

static inline const struct snapshot_range *snapshot_ranges(const struct snapshot *s, const struct snapshot_procedure *p)
{
	return (const struct snapshot_range *)snapshot_section(s->h, SNAPSHOT_RANGES) + p->range_at;
}

/* The jumps through hops, in bytes that are the text from `start` on: offset in the text. */
void snapshot_aim_jumps(const struct snapshot *s, const struct snapshot_procedure *p, uint64_t start, uint64_t size, uint8_t *bytes);
/* What is woven into all the module's copies, and whether calls lead straight to them: "-name" each. */
void snapshot_kind(const struct image *im, const struct loaded *l, char out[SNAPSHOT_KIND_SIZE]);
/* The name of a file for one more snapshot of the module, or one to be replaced. */
void snapshot_free_name(struct image *im, const struct loaded *l, char out[STAMP_NAME_SIZE]);

#endif
