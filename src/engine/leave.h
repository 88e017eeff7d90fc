/* One process goes back to the original text, for good, while the others of the image stay as they are. One at a time.
 *
 *   image_leave_begin(im, pid)          commits pass it over from now on
 *   image_leave_text(im, pid, keep)     while its threads run: what nobody can stand in the middle of, but for the procedures with wishes of `keep`
 *   image_leave_thread(...)             with its threads stopped: each is moved out of the copies
 *   image_leave_rest(im, pid)           then all that stayed
 *   image_remove_process(im, pid)
 *
 * image_leave_end takes it back: the process is one of the image as before. */
#ifndef ENGINE_LEAVE_H
#define ENGINE_LEAVE_H

#include "engine/image.h"

void image_leave_begin(struct image *im, pid_t pid);
bool image_is_leaving(struct image *im, pid_t pid);
int image_leave_end(struct image *im, pid_t pid);
/* keep: the owner of wishes whose procedures stay, and with them all that have jumps in dead bytes. Return 0 or -errno. */
int image_leave_text(struct image *im, pid_t pid, uint32_t keep);
int image_leave_rest(struct image *im, pid_t pid);
/* Takes a hook (image_hook) back in this process. */
int image_unhook(struct image *im, struct loaded *l, uint64_t offset, pid_t pid);
int image_rehook(struct image *im, struct loaded *l, uint64_t offset, pid_t pid);
/* Where a stopped thread goes on in original text with the same effect. *sp changes where it stands in a probe's code. -EAGAIN: it is in the middle of
 * something that has no equal there; it will leave by itself. */
int image_leave_thread(struct image *im, pid_t pid, uint64_t *pc, uint64_t *sp);

#endif
