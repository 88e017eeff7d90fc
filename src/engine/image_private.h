/* What the files of the image share among themselves. */
#ifndef ENGINE_IMAGE_PRIVATE_H
#define ENGINE_IMAGE_PRIVATE_H

#include "engine/image.h"

int image_give_map(struct image *im, struct loaded *l);
void image_forget_wishes(struct image *im, struct loaded *l);
void image_rewish(struct image *im, struct loaded *l, uint64_t procedure); /* image_weave will make a new copy */
/* An owner wishes for something in the procedure that holds the offset. */
bool image_wishes_of(struct loaded *l, uint64_t offset, uint32_t owner);
/* commit.c: one step of a procedure's way back, in one process. */
int image_write_original(struct image *im, pid_t pid, const struct redirected *r, int step);
/* commit.c: those from index `known` on, which nobody can be executing, into all processes. */
void image_commit_new(struct image *im, struct loaded *l, size_t known);
/* commit.c: what is redirected there is in the process's text, too. Nobody can be executing it. */
void image_write_present(struct image *im, pid_t pid, const struct redirected *r);
/* commit.c: all processes have the text of the image's generation. */
void image_tell_generation(struct image *im);
/* The procedure whose plan has taken the padding that the offset lies in; *end: where that ends. NULL: none. */
struct redirected *image_padded(struct loaded *l, uint64_t offset, uint64_t *end);
void image_leave(struct redirected *r); /* stages the original bytes */
int image_plan_text(struct image *im, struct redirected *r, const struct copy *copy, struct text_plan **plans, size_t *plan_count,
		    struct springboard_counts *counts);
/* What woven code says of a probe. */
uint32_t image_probe_id(const struct image *im, uint32_t probe);
/* visits.c: copy_emit with the probes that count visits, too. sparing: without the inline weavers that yield. */
int image_emit_copy(struct image *im, struct loaded *l, const struct procedure *p, struct weave *weaves, size_t count, bool sparing, struct copy **out)
	__attribute__((warn_unused_result));
/* redirect.c */
void image_refuse(struct loaded *l, uint64_t offset, enum refusal why); /* it stays native: counts it */
int image_refuse_status(struct loaded *l, uint64_t offset, int status); /* the same by what failed, which it returns */
/* Of a procedure that isn't redirected yet, and that nobody wishes for. Takes p over, on failure too. */
int image_begin_unneeded(struct image *im, struct loaded *l, struct procedure *p, struct redirected **out) __attribute__((warn_unused_result));
/* The first copy was made of it, or not. Takes r over. Returns the status. */
int image_own_copy(struct loaded *l, struct redirected *r, int status) __attribute__((warn_unused_result));
/* Makes a new copy with these probes and stages it. */
int image_stage_copy(struct image *im, struct redirected *r, struct weave *weaves, size_t count) __attribute__((warn_unused_result));
/* Stages the copy it has, with nothing woven but inline. Returns false if there is no room for all springboards, and less could be woven. */
bool image_stage_present_copy(struct image *im, struct redirected *r);
/* Bytes into the code file, where nobody has touched much yet: what is written by the page needn't be cleared first, nor mapped here. */
void image_fill(struct image *im, void *host, const void *bytes, size_t size);
uint64_t image_reserve_tables(struct image *im, uint64_t size); /* an offset in the tables region, at a page; 0: it is full */
void image_publish_landings(struct redirected *r);
void image_free_redirected(struct redirected *r);
void image_own(struct loaded *l, struct redirected *r); /* it is one of the module's from now on */
/* Without weaves, what is at that address already. Returns 0; -EILSEQ: it is something else. */
int image_emit_copy_again(struct loaded *l, const struct procedure *p, uint64_t code, struct copy **out) __attribute__((warn_unused_result));
/* written.c: may the program have changed any of its bytes? */
bool image_is_written(const struct loaded *l, const struct procedure *p);
/* inherit.c */
uint64_t image_module_identity(const struct module *m);
void image_inherit_map(struct image *im, struct loaded *l);
void image_inherit_roots(struct image *im, struct redirected *r);
uint64_t image_former_original(struct image *im, uint64_t code_address);
uint64_t emit_stub(struct zone *z, uint64_t target); /* 0: the zone is full */

#endif
