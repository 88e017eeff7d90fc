#include "node/detach.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "engine/leave.h"
#include "inject/detach.h"
#include "inject/filters.h"
#include "inject/memory.h"
#include "node/failures_private.h"
#include "node/guest_rows.h"

enum { PATIENCE_US = 10000000, STOP_MS = 500, PAUSE_US = 2000, PAUSE_MAX_US = 50000, NUDGES = 4, NUDGES_MAX = 100, NUDGE_US = 50, NUDGE_DOUBLINGS = 9, RUNNING_DOUBLINGS = 5, TRIES_ALONE = 2, STIRS = 8, NEAR = 16384 };

enum stage {
	STAGE_HEAP,  /* blocks in front of guard pages are being freed by the program */
	STAGE_TEXT,  /* most of its text goes back while it runs */
	STAGE_LEAVE, /* waits for a moment at which no thread needs the blob */
};

struct detaching {
	pid_t pid;
	struct control_message from;
	enum stage stage;
	int64_t deadline, next_us, pause_us, longest_us;
	unsigned tries;
	const char *problem; /* why not yet */
};

bool detach_is_under_way(const struct supervisor *s)
{
	return s->detaching.count;
}

bool detach_concerns(const struct supervisor *s, pid_t pid)
{
	for (size_t i = 0; i < s->detaching.count; i++)
		if (s->detaching.at[i]->pid == pid)
			return true;
	return false;
}

static struct family *family_of(struct supervisor *s, pid_t pid)
{
	for (size_t i = 0; i < s->families.count; i++)
		if (family_process(s->families.at[i], pid))
			return s->families.at[i];
	return NULL;
}

void detach_begin(struct supervisor *s, const struct control_message *from)
{
	struct detaching *d;
	if (!family_of(s, from->detach) || detach_concerns(s, from->detach)) {
		control_reply_text(s->control, from, 0, family_of(s, from->detach) ? "it is being let go of already" : "");
		return;
	}
	d = calloc(1, sizeof *d);
	if (!d)
		abort();
	*d = (struct detaching){.pid = from->detach, .from = *from, .pause_us = PAUSE_US};
	vec_push(&s->detaching, d);
}

/* --- What inject asks. */

struct inquiry {
	struct family *family;
	pid_t pid;
};

static int original(void *context, uint64_t *pc, uint64_t *sp)
{
	struct inquiry *i = context;
	return image_leave_thread(&i->family->image, i->pid, pc, sp);
}

/* Does exact unwinding lead to the slot, as a return address? Where it can't be told, only what is near counts: neither the allocator nor a signal frame needs
 * much of a stack. */
static bool is_used(void *context, const struct thread *one, uint64_t slot)
{
	struct inquiry *i = context;
	struct view_context of_view = {i->family, i->pid};
	struct stack_view v = failures_view(&of_view);
	const struct user_regs_struct *u = &one->regs;
	struct cfi_registers r = {.rip = u->rip, .rflags = u->eflags,
				  .general = {u->rax, u->rcx, u->rdx, u->rbx, u->rsp, u->rbp, u->rsi, u->rdi, u->r8, u->r9, u->r10, u->r11, u->r12, u->r13,
					      u->r14, u->r15}};
	struct cfi_frame frame;
	bool behind_call = false;
	if (slot < u->rsp) /* a signal frame whose handler has returned: the restorer is about to */
		return true;
	for (uint64_t cfa = 0; cfa <= slot; cfa = frame.cfa) {
		uint64_t bias, pc = r.rip - behind_call;
		struct module *m = v.module_at(v.context, pc, &bias);
		if (!m || cfi_step(m, bias, pc - bias, &r, v.read, v.context, &frame) || frame.cfa <= cfa)
			return slot - u->rsp < NEAR;
		if (frame.is_outermost)
			return false;
		if (frame.cfa == slot + 8)
			return true;
		r = frame.caller;
		behind_call = !frame.is_signal_frame;
	}
	return false;
}

/* --- The stages. */

static const char *write_heap_closed(struct family *f, pid_t pid, uint32_t closed)
{
	uint64_t at = f->plan.base + GUEST_PRIVATE_OFFSET + offsetof(struct guest_private, heap) + offsetof(struct guest_heap, closed);
	return memory_write(pid, at, &closed, sizeof closed) ? "its memory can't be written" : NULL;
}

/* The allocator would take them for damage: they have to be freed while the blob is there. */
static bool heap_is_empty(struct detaching *d, struct family *f)
{
	static char text[128];
	unsigned count;
	d->problem = write_heap_closed(f, d->pid, 1);
	if (d->problem || detach_guarded_blocks(f->processes.count ? d->pid : 0, &f->plan, &count))
		return false;
	if (!count)
		return true;
	snprintf(text, sizeof text, "%u heap blocks that lie in front of guard pages are still in use", count);
	d->problem = text;
	return false;
}

static void text_goes_back(struct family *f, pid_t pid)
{
	image_leave_begin(&f->image, pid);
	for (size_t i = 0; i < f->image.modules.count && f->hook; i++) {
		struct loaded *l = f->image.modules.at[i];
		uint64_t hook;
		if (!l->module->is_program && image_process_has(l, pid) && module_symbol(l->module, "_dl_debug_state", &hook))
			image_unhook(&f->image, l, hook, pid);
	}
	int status = image_leave_text(&f->image, pid, OWNER_SYSCALLS);
	if (status)
		log_warning("%s: original text can't be written: %s", f->program, strerror(-status));
}

static bool is_followed(const struct supervisor *s, pid_t pid)
{
	for (size_t i = 0; i < s->followed.count; i++)
		if (s->followed.at[i].pid == pid)
			return true;
	return false;
}

/* One that stands in our code is helped on while the others wait: job control would leave it there for ever, and threads that are in our code most of the time
 * are never all out of it at once. For longer with each try, since the machine may be busy. */
static const char *prepare_thread(const struct detach_view *v, struct thread *one, unsigned tries)
{
	const char *problem = detach_prepare(v, one);
	unsigned most = one->in_group_stop ? NUDGE_DOUBLINGS : RUNNING_DOUBLINGS;
	int64_t us = (int64_t)NUDGE_US << (tries < most ? tries : most), until = monotonic_us() + NUDGES * us;
	if (!one->in_group_stop && tries < TRIES_ALONE)
		return problem;
	for (int i = 0; problem && i < NUDGES_MAX && monotonic_us() < until; i++) {
		if (thread_nudge(v->pid, one, us, tries % 2, v->plan->base, v->plan->base + GUEST_PRIVATE_OFFSET))
			return one->is_gone ? NULL : problem;
		problem = detach_prepare(v, one);
	}
	return problem;
}

static bool has_ended(const struct threads *t)
{
	for (size_t i = 0; i < t->all.count; i++)
		if (!t->all.at[i].is_gone)
			return false;
	return true;
}

/* Those that aren't ready yet; the number of those left is in *left. */
static const char *prepare_others(const struct detach_view *v, struct threads *t, unsigned tries, bool ready[], size_t *left)
{
	const char *problem = NULL;
	*left = 0;
	for (size_t i = 0; i < t->all.count; i++) {
		if (ready[i] || t->all.at[i].is_gone)
			continue;
		const char *why = prepare_thread(v, &t->all.at[i], tries);
		ready[i] = !why;
		*left += !ready[i];
		problem = why ? why : problem;
	}
	return problem;
}

/* Lets those run for a moment that were ready: one may hold the lock that another waits for. False: one can't be stopped again, for now. */
static bool stir(const struct detach_view *v, struct threads *t, bool ready[])
{
	for (size_t i = 0; i < t->all.count; i++) {
		struct thread *one = &t->all.at[i];
		if (!ready[i] || one->is_gone || one->in_group_stop)
			continue;
		ready[i] = false;
		if (thread_nudge(v->pid, one, NUDGE_US, false, v->plan->base, v->plan->base + GUEST_PRIVATE_OFFSET) && !one->is_gone)
			return false;
	}
	return true;
}

/* As long as some get on, the rest are tried again. */
static const char *prepare_threads(const struct detach_view *v, struct threads *t, unsigned tries)
{
	size_t before, left = t->all.count;
	const char *problem;
	bool *ready = calloc(left + 1, sizeof *ready);
	if (!ready)
		abort();
	for (unsigned stirs = 0;; stirs++) {
		do {
			before = left;
			problem = prepare_others(v, t, tries, ready, &left);
		} while (problem && left < before && tries >= TRIES_ALONE);
		if (!problem || stirs >= STIRS || tries < TRIES_ALONE || !stir(v, t, ready))
			break;
		left = t->all.count;
	}
	free(ready);
	return problem;
}

/* All threads are stopped and none is in our code. */
static int leave_stopped(struct detaching *d, struct family *f, const struct detach_view *v, struct foothold *h, struct threads *t)
{
	d->problem = "it has ended meanwhile";
	if (has_ended(t))
		return -ESRCH;
	int status = image_leave_rest(&f->image, d->pid);
	d->problem = "original text can't be written";
	return status ? status : detach_leave(v, h, t, &d->problem);
}

static int leave_when_ready(struct detaching *d, struct family *f, const struct detach_view *v, struct foothold *h, struct threads *t)
{
	d->problem = prepare_threads(v, t, d->tries);
	if (d->problem)
		return -EAGAIN;
	int status = filters_exist(d->pid) ? filters_allow_leaving(t, h->at, &d->problem) : 0;
	return status ? status : leave_stopped(d, f, v, h, t);
}

/* 0: done; -EAGAIN: not now; else it can't be done. */
static int try_to_leave(struct detaching *d, struct family *f)
{
	struct inquiry inquiry = {f, d->pid};
	struct detach_view v = {d->pid, &f->plan, is_used, original, &inquiry};
	struct foothold h;
	struct threads t;
	int status = foothold_find(&h, d->pid);
	d->problem = "there is no room for a foothold in its text";
	if (status)
		return status;
	d->problem = "one of its threads can't be stopped (it waits for a device or a vforked child), or another process traces it";
	status = threads_stop(&t, d->pid, STOP_MS);
	if (status)
		return status == -ETIMEDOUT || status == -EBUSY ? -EAGAIN : status;
	f->is_stopped = true;
	status = leave_when_ready(d, f, &v, &h, &t);
	f->is_stopped = false;
	threads_release(&t);
	if (t.longest_us > d->longest_us)
		d->longest_us = t.longest_us;
	d->tries++;
	return status;
}

/* --- The end. */

static void finish(struct supervisor *s, struct detaching *d, bool done)
{
	char text[256];
	if (done)
		snprintf(text, sizeof text, "longest stop %.2f ms", d->longest_us / 1000.0);
	else
		snprintf(text, sizeof text, "%s", d->problem);
	guest_rows_flush(s->rows);
	control_reply_text(s->control, &d->from, done, text);
	log_debug("process %d %s after %u tries: %s", d->pid, done ? "is let go" : "stays", d->tries, text);
	for (size_t i = 0; i < s->detaching.count; i++)
		if (s->detaching.at[i] == d) {
			s->detaching.at[i] = s->detaching.at[--s->detaching.count];
			break;
		}
	free(d);
}

/* It stays guarded: everything is put back. */
static void stay(struct supervisor *s, struct detaching *d, struct family *f)
{
	uint64_t hook;
	write_heap_closed(f, d->pid, 0);
	image_leave_end(&f->image, d->pid);
	for (size_t i = 0; i < f->image.modules.count; i++) {
		struct loaded *l = f->image.modules.at[i];
		if (image_process_has(l, d->pid) && l->zone && !l->module->is_program && module_symbol(l->module, "_dl_debug_state", &hook))
			image_rehook(&f->image, l, hook, d->pid);
	}
	family_modules(f, d->pid, true);
	finish(s, d, false);
}

static void one_step(struct supervisor *s, struct detaching *d)
{
	struct family *f = family_of(s, d->pid);
	int status = -EAGAIN;
	if (!d->deadline)
		d->deadline = monotonic_us() + PATIENCE_US;
	if (!f) {
		d->problem = "it has ended meanwhile";
		finish(s, d, false);
		return;
	}
	if (!family_owns(f, d->pid)) {
		d->problem = "it executes another program by now, unguarded";
		family_remove_process(f, d->pid);
		finish(s, d, false);
		return;
	}
	if (f->image.tables->lazy) {
		d->problem = "its text is redirected when it is first executed (--redirect=lazy)";
		finish(s, d, false);
		return;
	}
	if (d->stage == STAGE_LEAVE && !image_is_leaving(&f->image, d->pid))
		d->stage = STAGE_HEAP; /* it executes another program, and is of another family */
	if (d->stage == STAGE_HEAP && heap_is_empty(d, f))
		d->stage = STAGE_TEXT;
	if (d->stage == STAGE_TEXT) {
		text_goes_back(f, d->pid);
		d->stage = STAGE_LEAVE;
	}
	if (d->stage == STAGE_LEAVE && !is_followed(s, d->pid))
		status = try_to_leave(d, f);
	if (!status) {
		family_remove_process(f, d->pid);
		finish(s, d, true);
	} else if (status != -EAGAIN || monotonic_us() > d->deadline) {
		log_debug("process %d: %s: %s", d->pid, d->problem, strerror(-status));
		stay(s, d, f);
	} else {
		d->next_us = monotonic_us() + d->pause_us;
		d->pause_us = d->pause_us * 2 < PAUSE_MAX_US ? d->pause_us * 2 : PAUSE_MAX_US;
	}
}

void detach_continue(struct supervisor *s)
{
	threads_tend();
	if (s->detaching.count && monotonic_us() >= s->detaching.at[0]->next_us) /* one at a time */
		one_step(s, s->detaching.at[0]);
}

void detach_close(struct supervisor *s)
{
	while (s->detaching.count) {
		s->detaching.at[0]->problem = "it has ended meanwhile";
		finish(s, s->detaching.at[0], false);
	}
	vec_free(&s->detaching);
}
