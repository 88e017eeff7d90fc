/* Writing staged text into processes that may be executing it.
 *
 * Threads are never stopped. The text goes through states in each of which every byte that can be the start of an instruction either is a
 * complete instruction of the old or the new text, or traps (and the landing map sends the trapped thread on):
 *   1. int3 over the first byte of every old instruction, springboard and hole;     synchronise processors
 *   2. the new text, but int3 where an instruction starts in it;                    synchronise processors
 *   3. the first bytes.
 * A process in which nobody can be running is written once. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "engine/image_private.h"
#include "engine/snapshot.h"

enum { INT3 = 0xcc };

static const uint8_t *wanted(const struct redirected *r, const struct text_plan *p)
{
	return r->leaving ? p->original : p->bytes;
}

/* Where an instruction may start, in the old text or the new. */
static bool is_head(const struct text_plan *p, size_t at)
{
	return p->boundary[at] || p->hole_of[at];
}

/* step 0: everything at once. Step 1 leaves the displacements of springboards in the old text, whose layout nobody needs to know, as they are in
 * the process. */
static int text_of_step(struct image *im, pid_t pid, const struct redirected *r, const struct text_plan *p, const uint8_t *wanted, int step, uint8_t *out)
{
	size_t size = p->range.end - p->range.start;
	if (step == 1) {
		int status = im->access.read(im->access.context, pid, p->range.start + r->loaded->bias, out, size);
		if (status)
			return status;
	} else {
		memcpy(out, wanted, size);
	}
	for (size_t i = 0; i < size && (step == 1 || step == 2); i++)
		if (is_head(p, i))
			out[i] = INT3;
	return 0;
}

static int write_range(struct image *im, pid_t pid, const struct redirected *r, const struct text_plan *p, const uint8_t *wanted, int step)
{
	size_t size = p->range.end - p->range.start;
	uint64_t address = p->range.start + r->loaded->bias;
	uint8_t *bytes = malloc(size);
	if (!bytes)
		abort();
	int status = text_of_step(im, pid, r, p, wanted, step, bytes);
	if (!status)
		status = im->access.write(im->access.context, pid, address, bytes, size);
	free(bytes);
	return status;
}

int image_write_original(struct image *im, pid_t pid, const struct redirected *r, int step)
{
	int worst = 0;
	for (size_t k = 0; k < r->plan_count; k++) {
		int status = write_range(im, pid, r, &r->plans[k], r->plans[k].original, step);
		if (status && status != -ESRCH)
			worst = status;
	}
	return worst;
}

static int write_step(struct image *im, pid_t pid, uint32_t newer_than, int step)
{
	int worst = 0;
	for (size_t m = 0; m < im->modules.count; m++)
		for (size_t i = 0; i < im->modules.at[m]->redirected.count; i++) {
			struct redirected *r = im->modules.at[m]->redirected.at[i];
			if (r->generation <= newer_than || !image_process_has(r->loaded, pid))
				continue;
			for (size_t k = 0; k < r->plan_count; k++) {
				int status = write_range(im, pid, r, &r->plans[k], wanted(r, &r->plans[k]), step);
				if (status && status != -ESRCH)
					worst = status;
			}
		}
	return worst;
}

static void forget_restored(struct image *im)
{
	for (size_t m = 0; m < im->modules.count; m++) {
		struct loaded *l = im->modules.at[m];
		for (size_t i = 0; i < l->redirected.count; i++)
			l->redirected.at[i]->staged = false;
	}
}

/* A fork inherits the number along with the text, so it says exactly which text the child has. */
static void tell_generation(struct image *im, pid_t pid)
{
	uint64_t at = im->base + GUEST_PRIVATE_OFFSET + offsetof(struct guest_private, generation);
	im->access.write(im->access.context, pid, at, &im->generation, sizeof im->generation);
}

/* There may be nothing between the segments. */
static int write_text(struct image *im, const struct loaded *l, const uint8_t *text, pid_t pid)
{
	int status = 0;
	for (size_t i = 0; i < l->module->segment_count && !status; i++) {
		const struct segment *s = &l->module->segments[i];
		if (module_text(l->module, s->offset) == s)
			status = im->access.write(im->access.context, pid, s->offset + l->bias, text + (s->offset + l->bias - l->text.start), s->file_size);
	}
	return status;
}

void image_tell_generation(struct image *im)
{
	for (size_t i = 0; i < im->processes.count; i++)
		tell_generation(im, im->processes.at[i].pid);
}

/* Nobody is running there. What is woven into the same module has its own bytes, written after these. */
static int write_snapshot(struct image *im, const struct loaded *l, const pid_t *pids, size_t count)
{
	uint8_t *text = snapshot_text(l);
	int worst = 0;
	for (size_t i = 0; i < count; i++) {
		int status = write_text(im, l, text, pids[i]);
		if (status && status != -ESRCH)
			worst = status;
	}
	free(text);
	return worst;
}

static int write_snapshots(struct image *im)
{
	int worst = 0;
	for (size_t m = 0; m < im->modules.count; m++) {
		struct loaded *l = im->modules.at[m];
		if (!snapshot_is_staged(l))
			continue;
		int status = write_snapshot(im, l, l->in.at, l->in.count);
		worst = status ? status : worst;
		snapshot_written(l, im->generation);
	}
	return worst;
}

int image_commit(struct image *im, bool live)
{
	uint32_t before = im->generation++;
	bool any = false, old = false;
	for (size_t m = 0; m < im->modules.count; m++)
		any |= snapshot_is_staged(im->modules.at[m]);
	for (size_t m = 0; m < im->modules.count; m++)
		for (size_t i = 0; i < im->modules.at[m]->redirected.count; i++) {
			struct redirected *r = im->modules.at[m]->redirected.at[i];
			if (r->staged) {
				r->generation = im->generation;
				any = true;
				old |= !im->modules.at[m]->fresh;
			}
		}
	if (!any) {
		im->generation = before; /* nothing to bring anybody up to date with */
		return 0;
	}
	im->tables->legacy.generation = im->generation;
	int worst = write_snapshots(im);
	live &= old;
	for (int step = live ? 1 : 0; step <= (live ? 3 : 0); step++) {
		for (size_t i = 0; i < im->processes.count; i++) {
			int status = im->processes.at[i].is_leaving ? 0 : write_step(im, im->processes.at[i].pid, before, step);
			if (status)
				worst = status;
		}
		if (live && step < 3)
			im->access.synchronise(im->access.context);
	}
	image_tell_generation(im);
	forget_restored(im);
	return worst;
}

static void write_at_once(struct image *im, pid_t pid, const struct redirected *r)
{
	for (size_t k = 0; k < r->plan_count; k++) {
		int status = write_range(im, pid, r, &r->plans[k], wanted(r, &r->plans[k]), 0);
		(void)status; /* the process has ended */
	}
}

void image_join(struct image *im, struct loaded *l, pid_t pid)
{
	if (l->lazy) /* a fetch will do it */
		return;
	if (snapshot_count(l) && !snapshot_is_staged(l)) {
		int status = write_snapshot(im, l, &pid, 1);
		(void)status; /* the process has ended */
	}
	for (size_t i = 0; i < l->redirected.count; i++)
		write_at_once(im, pid, l->redirected.at[i]);
}

void image_commit_new(struct image *im, struct loaded *l, size_t known)
{
	if (l->redirected.count == known)
		return;
	im->tables->legacy.generation = ++im->generation;
	for (size_t i = known; i < l->redirected.count; i++) {
		struct redirected *r = l->redirected.at[i];
		r->generation = im->generation;
		r->staged = false;
		for (size_t k = 0; k < l->in.count; k++)
			write_at_once(im, l->in.at[k], r);
	}
	image_tell_generation(im);
}

void image_write_present(struct image *im, pid_t pid, const struct redirected *r)
{
	for (size_t k = 0; k < r->plan_count; k++) {
		const struct text_plan *p = &r->plans[k];
		size_t size = p->range.end - p->range.start;
		uint8_t *now = malloc(size);
		if (!now)
			abort();
		int status = im->access.read(im->access.context, pid, p->range.start + r->loaded->bias, now, size);
		bool differs = !status && memcmp(now, wanted(r, p), size);
		free(now);
		if (differs)
			write_at_once(im, pid, r);
	}
}

int image_update_process(struct image *im, pid_t pid, uint32_t generation, bool live)
{
	int worst = 0;
	if (generation == im->generation)
		return 0;
	for (size_t m = 0; m < im->modules.count; m++)
		if (snapshot_is_newer(im->modules.at[m], generation) && image_process_has(im->modules.at[m], pid))
			snapshot_recall_all(im->modules.at[m], WHOLE_MODULE);
	for (int step = live ? 1 : 0; step <= (live ? 3 : 0); step++) {
		int status = write_step(im, pid, generation, step);
		if (status)
			worst = status;
		if (live && step < 3)
			im->access.synchronise(im->access.context);
	}
	tell_generation(im, pid);
	return worst;
}
