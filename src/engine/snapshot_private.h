/* What the files of snapshots share among themselves. */
#ifndef ENGINE_SNAPSHOT_PRIVATE_H
#define ENGINE_SNAPSHOT_PRIVATE_H

#include "engine/snapshot.h"
#include "engine/snapshot_file.h"

#define SNAPSHOTS_SIZE_MAX (1ul << 30) /* bytes, of all in the folder */

/* What is woven into all the module's copies, and whether calls lead straight to them: "-name" each. */
void snapshot_kind(const struct image *im, const struct loaded *l, char out[SNAPSHOT_KIND_SIZE]);
/* The name of a file for one more snapshot of the module, or one to be replaced. */
void snapshot_free_name(struct image *im, const struct loaded *l, char out[STAMP_NAME_SIZE]);

#endif
