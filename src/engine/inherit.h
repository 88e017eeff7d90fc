/* Taking over an image that a killed supervisor has left: its copies and springboards are in use. They stay valid; every procedure found redirected gets a
 * fresh copy, with what is wanted in it now, by the ordinary commit, which starts from any springboard layout.
 *
 *   image_inherit(...);                  tables, zones, numbers go on where they were left
 *   image_load(...) for all modules      landing maps are found again
 *   wishes, image_weave(...)
 *   image_inherit_text(...)              what else is redirected in a process
 *   image_commit(im, true)
 *   image_retire_probes(...)             of the copies that are out of use now
 */
#ifndef ENGINE_INHERIT_H
#define ENGINE_INHERIT_H

#include "engine/image.h"

/* Takes over the host mappings as image_init does. -EPROTO: of another version. */
int image_inherit(struct image *im, uint8_t *code_host, void *shared_host, uint64_t base, const struct text_access *access)
	__attribute__((warn_unused_result));
/* Stages new copies of what a process has redirected and nobody has staged. Modules' processes must be known. Returns how many could not be. */
unsigned image_inherit_text(struct image *im, pid_t pid);
/* Probes below `end` act no more; those that only observed are free for use. */
void image_retire_probes(struct image *im, uint32_t end);

#endif
