/* Orphans: processes that have ClearView in them and no supervisor. Found by their mappings. */
#ifndef NODE_ORPHANS_H
#define NODE_ORPHANS_H

#include <clearview/guest.h>

#include "base/vec.h"

#include <sys/types.h>

struct orphan {
	pid_t pid;
	uint64_t base;               /* zone 0 */
	uint64_t code_inode, bell_inode;
	uint64_t bell_offset;        /* the family's bell in the file */
	char code[64], shared[64], bell[64]; /* /proc/PID/map_files/... */
	struct guest_legacy legacy;
};

typedef VEC(struct orphan) orphan_list;

/* All orphans of the state folder (by its device and inode), those of one killed supervisor together, those of one family together. */
int orphans_find(uint64_t state_device, uint64_t state_inode, orphan_list *out) __attribute__((warn_unused_result));

#endif
