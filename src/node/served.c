#include "node/served.h"

#include <sys/syscall.h>

#include "engine/syscall_sites.h"
#include "repair/repair.h"

enum { WATCH_US = 12000000 };

static const int inputs[] = {SYS_read, SYS_readv, SYS_recvfrom, SYS_recvmsg, SYS_recvmmsg};
static const int outputs[] = {SYS_write, SYS_writev, SYS_sendto, SYS_sendmsg, SYS_sendmmsg, SYS_sendfile};
enum { INPUTS = sizeof inputs / sizeof inputs[0], OUTPUTS = sizeof outputs / sizeof outputs[0] };

struct counter {
	uint32_t probe;
	bool is_input;
};

struct watch {
	struct family *family;
	pid_t pid;
	int64_t until_us;
	uint64_t base;    /* rounds when the repair acted */
	unsigned told;
	VEC(struct counter) counters;
};

static VEC(struct watch) watches;

static bool is_input(int number)
{
	for (int i = 0; i < INPUTS; i++)
		if (inputs[i] == number)
			return true;
	return false;
}

static void count_sites(struct watch *w, struct loaded *l)
{
	int wanted[INPUTS + OUTPUTS];
	struct syscall_site *sites;
	for (int i = 0; i < INPUTS + OUTPUTS; i++)
		wanted[i] = i < INPUTS ? inputs[i] : outputs[i - INPUTS];
	size_t count = l->zone ? syscall_sites(l->module, wanted, INPUTS + OUTPUTS, &sites) : 0;
	for (size_t i = 0; i < count; i++) {
		uint32_t probe = sites[i].number < 0 ? 0 : image_probe_new(&w->family->image);
		if (!probe)
			continue;
		struct guest_probe *p = image_probe(&w->family->image, probe);
		p->work = PROBE_COUNT;
		p->enabled = 1;
		struct weave weave = {.offset = sites[i].offset, .place = WEAVE_AFTER, .probe = probe};
		if (!image_wish(&w->family->image, l, &weave, OWNER_SERVED))
			vec_push(&w->counters, (struct counter){probe, is_input(sites[i].number)});
	}
	if (count)
		free(sites);
}

/* Rounds of input and output: the smaller number of the two. */
static uint64_t rounds(const struct watch *w)
{
	uint64_t in = 0, out = 0;
	for (size_t i = 0; i < w->counters.count; i++)
		*(w->counters.at[i].is_input ? &in : &out) += w->family->image.shared->tally[w->counters.at[i].probe].runs;
	return in < out ? in : out;
}

static struct family *family_of(struct supervisor *s, pid_t pid)
{
	for (size_t i = 0; i < s->families.count; i++)
		if (family_process(s->families.at[i], pid))
			return s->families.at[i];
	return NULL;
}

void served_begin(struct supervisor *s, pid_t pid)
{
	struct family *f = family_of(s, pid);
	if (!f)
		return;
	for (size_t i = 0; i < watches.count; i++)
		if (watches.at[i].family == f) {
			watches.at[i].pid = pid;
			watches.at[i].until_us = clock_us() + WATCH_US;
			watches.at[i].base = rounds(&watches.at[i]);
			watches.at[i].told = 0;
			return;
		}
	struct watch w = {.family = f, .pid = pid, .until_us = clock_us() + WATCH_US};
	for (size_t i = 0; i < f->image.modules.count; i++)
		count_sites(&w, f->image.modules.at[i]);
	vec_push(&watches, w);
	family_apply(f, true);
}

static void end_watch(size_t i, bool family_lives)
{
	struct watch *w = &watches.at[i];
	if (family_lives) {
		image_unwish(&w->family->image, OWNER_SERVED);
		for (size_t k = 0; k < w->counters.count; k++)
			image_probe(&w->family->image, w->counters.at[k].probe)->enabled = 0;
		family_apply(w->family, true);
	}
	vec_free(&w->counters);
	watches.at[i] = watches.at[--watches.count];
}

void served_tick(struct supervisor *s)
{
	for (size_t i = 0; i < watches.count; i++) {
		struct watch *w = &watches.at[i];
		uint64_t served = rounds(w) - w->base;
		if (served > w->told && served < 1u << 30) {
			w->told = served;
			repair_served(s->repair, w->pid, w->told);
		}
		if (clock_us() > w->until_us)
			end_watch(i--, true);
	}
}

void served_family_ended(struct supervisor *s, struct family *f)
{
	for (size_t i = 0; i < watches.count; i++)
		if (watches.at[i].family == f)
			end_watch(i--, false);
}
