/* Attaching to a running process. Its threads are stopped only while the blob comes in and the system calls are woven that could undo that; modules are
 * read and copies made before, everything else is woven behind, by ordinary live commits. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/log.h"
#include "inject/attach.h"
#include "inject/filters.h"
#include "inject/memory.h"
#include "node/family_private.h"
#include "node/learning.h"
#include "node/signal_descriptors.h"
#include "node/supervisor.h"
#include "node/weavers.h"

enum { STOP_MS = 3000 };

/* The text of a process that runs is never fresh. */
static void look_at_modules(struct family *f, pid_t pid)
{
	family_note_mappings(f, pid);
	for (size_t i = 0; i < f->image.modules.count; i++)
		f->image.modules.at[i]->fresh = false;
	image_weave(&f->image);
}

/* With all threads stopped. An orphan in the middle of this can't be adopted. */
static int enter(struct family *f, struct foothold *h, struct threads *t, const char **why)
{
	const uint32_t complete = 0;
	uint64_t descriptors = signal_descriptors_find(t->pid);
	if (descriptors)
		weave_signal_descriptors(f);
	look_at_modules(f, t->pid); /* libraries may have been loaded meanwhile */
	int status = attach_enter(h, t, &f->memory, f->supervisor->bell.fd, &f->plan, why);
	if (!status)
		status = signal_descriptors_tell(f, t->pid, descriptors);
	if (status)
		return status;
	status = image_commit(&f->image, true);
	if (status)
		log_warning("%s: writing into the guest failed: %s", f->program, strerror(-status));
	weavers_applied(f);
	return memory_write(t->pid, f->plan.base + GUEST_PRIVATE_OFFSET + offsetof(struct guest_private, incomplete), &complete, sizeof complete);
}

static const char *stop_failure(int status)
{
	static const struct { int status; const char *text; } reasons[] = {
		{-EPERM, "ptrace is not allowed (another user's process, kernel.yama.ptrace_scope, or a container's seccomp profile)"},
		{-EBUSY, "another process traces it"},
		{-ETIMEDOUT, "one of its threads can't be stopped now: it waits for a device, or for a child between vfork and exec"},
		{-ESRCH, "it has ended"},
		{-ECHILD, "it is executing another program at the moment"},
	};
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return "its threads can't be stopped";
}

static int stop_and_enter(struct family *f, pid_t pid, struct attached *outcome, const char **why)
{
	struct foothold h;
	struct threads t;
	int status = foothold_find(&h, pid);
	*why = "there is no room for a foothold in its text";
	if (status)
		return status;
	bool filtered = filters_exist(pid);
	status = threads_stop(&t, pid, STOP_MS);
	*why = stop_failure(status);
	if (status)
		return status;
	outcome->threads = t.all.count;
	t.is_filtered = filtered;
	f->is_stopped = true;
	if (filtered)
		status = filters_allow(&t, &f->plan, h.at, why);
	if (!status)
		status = enter(f, &h, &t, why);
	f->is_stopped = false;
	threads_release(&t);
	outcome->longest_stop_us = t.longest_us;
	return status;
}

/* What can wait: heap, patches, learning; every procedure, if that is wanted. */
static void weave_the_rest(struct family *f, pid_t pid)
{
	f->is_attaching = false;
	for (size_t i = 0; i < f->image.modules.count; i++)
		weavers_redirect_all(f, f->image.modules.at[i]);
	family_modules(f, pid, true);
	family_hook_loaders(f);
	learning_modules_ready(f->supervisor, f, true);
}

int family_attach(struct supervisor *s, pid_t pid, struct family **out, struct attached *outcome, const char **why)
{
	uint64_t loader;
	struct family *f;
	struct maps maps;
	*why = stop_failure(-ESRCH);
	int status = maps_read(pid, &maps);
	if (status)
		return status;
	status = family_prepare(s, pid, &maps, &f, &loader, why);
	maps_free(&maps);
	if (status)
		return status;
	f->is_attaching = true;
	f->hook_calls = FIRST_HOOK_CALLS;
	*why = stop_failure(-ESRCH);
	status = family_add_process(f, pid, 0, f->image.generation);
	if (!status) {
		weavers_family_started(f);
		look_at_modules(f, pid);
		status = stop_and_enter(f, pid, outcome, why);
	}
	if (status) {
		family_free(f);
		return status;
	}
	weave_the_rest(f, pid);
	*out = f;
	return 0;
}
