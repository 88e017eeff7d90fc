#include "node/provoke.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "node/supervisor.h"

enum { TICK_US = 20000, DELAY_US = 20000, ONE_IN_DROPPED = 6, ONE_IN_DIES = 40, PROCEDURES = 4, TINY_ROOM = 192 << 10, TINY_SPARE = 96 << 10 };

static const struct {
	const char *name;
	uint16_t bit;
} names[] = {
	{"traps", PROVOKE_TRAPS}, {"tiny", PROVOKE_TINY}, {"delay", PROVOKE_DELAY}, {"drop", PROVOKE_DROP}, {"die", PROVOKE_DIE}, {"commits", PROVOKE_COMMITS},
	{"unrepaired", PROVOKE_UNREPAIRED},
};

bool provoke_parse(const char *list, uint16_t *out)
{
	*out = 0;
	while (*list) {
		size_t length = strcspn(list, ","), i = 0, count = sizeof names / sizeof *names;
		while (i < count && (strlen(names[i].name) != length || strncmp(names[i].name, list, length)))
			i++;
		if (i == count)
			return false;
		*out |= names[i].bit;
		list += length + (list[length] == ',');
	}
	return true;
}

static bool one_in(unsigned n)
{
	return !(random() % n);
}

void provoke_family(struct family *f)
{
	uint16_t provoke = f->supervisor->options.provoke;
	if (provoke)
		srandom(clock_us() ^ getpid());
	if (provoke & PROVOKE_TRAPS)
		f->image.only_traps = true;
	for (size_t i = 0; provoke & PROVOKE_TINY && i < f->image.zone_count; i++) {
		struct zone *z = &f->image.zones[i];
		z->copies[0].end = z->copies[0].next + TINY_ROOM;
		z->copies[1].end = z->copies[1].next;
		z->spare = TINY_SPARE;
	}
}

bool provoke_event(const struct supervisor *s)
{
	if (s->options.provoke & PROVOKE_DELAY)
		usleep(random() % DELAY_US);
	return s->options.provoke & PROVOKE_DROP && one_in(ONE_IN_DROPPED);
}

/* The dynamic linker's hook isn't ours to redirect. */
static bool is_hook(const struct loaded *l, const struct range *range)
{
	uint64_t hook;
	return module_symbol(l->module, "_dl_debug_state", &hook) && hook >= range->start && hook < range->end;
}

/* Native: redirected with nothing woven. Redirected: a new copy, or, with nothing wished for any more, back. */
static void disturb(struct family *f)
{
	struct loaded *l = f->image.modules.at[random() % f->image.modules.count];
	if (!l->zone || !l->module->range_count)
		return;
	const struct range *range = &l->module->ranges[(size_t)random() % l->module->range_count];
	if (is_hook(l, range))
		return;
	if (image_redirected(l, range->start))
		image_weave_again(&f->image, l, range->start);
	else if (image_redirect(&f->image, l, range->start, NULL, 0))
		log_debug("refused: %s+%#lx", l->module->path, range->start);
}

void provoke_tick(struct supervisor *s)
{
	static int64_t next_us;
	int64_t now = clock_us();
	if (!s->options.provoke || now < next_us)
		return;
	next_us = now + TICK_US;
	if (s->options.provoke & PROVOKE_DIE && s->keeper && one_in(ONE_IN_DIES))
		kill(getpid(), SIGKILL);
	for (size_t i = 0; s->options.provoke & PROVOKE_COMMITS && i < s->families.count; i++) {
		struct family *f = s->families.at[i];
		if (f->is_traced)
			continue;
		for (int k = 0; f->image.modules.count && k < PROCEDURES; k++)
			disturb(f);
		family_apply(f, true);
	}
}
