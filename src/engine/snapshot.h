/* Snapshots: what redirecting a whole module came to, kept in a file for the next run, which then writes text and copies instead of decoding, copying and planning.
 *
 * A snapshot holds procedures that nothing is woven into. Copies are put at the distance from the text that they were made for, for springboards' displacements must
 * trap; only hops are sought anew. Where that room isn't free, because the module lies at another distance from its neighbours, another snapshot is made: a module
 * may have several.
 *
 * What is known about a redirected procedure (struct redirected) is made when it is first asked for: the text and the copies don't need it. */
#ifndef ENGINE_SNAPSHOT_H
#define ENGINE_SNAPSHOT_H

#include "engine/image.h"

/* Fills the zone and the landing map from one of the module's snapshots, for all procedures that aren't redirected yet, and stages its text. False: there is
 * none that fits. The module must be fresh. */
bool snapshot_restore(struct image *im, struct loaded *l);
/* Keeps what image_redirect_module has made: l->redirected and l->refusals from these indices on, and how many springboards that were. */
void snapshot_keep(struct image *im, struct loaded *l, size_t first_redirected, size_t first_refusal, const struct springboard_counts *counts);
void snapshot_free(struct loaded *l);
void snapshots_close(struct module *m);

/* The procedure that the range belongs to is in the snapshot, and nobody has asked for it yet; or it was refused. */
bool snapshot_has(const struct loaded *l, size_t range);
/* Makes what snapshot_has says is there: NULL, or what is now in l->redirected. */
struct redirected *snapshot_recall(struct loaded *l, size_t range);
/* Where calls of the procedure at the offset may go straight to (copy.gate), while it has it; 0: nowhere. */
uint64_t snapshot_gate(const struct loaded *l, size_t range, uint64_t offset);
/* snapshot_recall for all procedures that have something in the offsets. */
void snapshot_recall_all(struct loaded *l, struct range offsets);
#define WHOLE_MODULE ((struct range){0, UINT64_MAX})
/* snapshot_recall for the one whose copy is at the address. */
void snapshot_recall_copy(struct loaded *l, uint64_t code_address);
/* How many procedures are in it that nobody has asked for. */
size_t snapshot_count(const struct loaded *l);

bool snapshot_is_staged(const struct loaded *l);
/* The text, l->text.end - l->text.start bytes, but for what has its own struct redirected. The caller frees it. */
uint8_t *snapshot_text(const struct loaded *l);
/* It is in the processes' text as of that generation. */
void snapshot_written(struct loaded *l, uint32_t generation);
/* The text of an older process lacks it. */
bool snapshot_is_newer(const struct loaded *l, uint32_t generation);

#endif
