#include "node/guest_rows.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "node/enforce.h"

enum { EVERY_MS = 250, SETTLED_US = 1000000 };

/* A row as it was written. */
struct written {
	struct guest_row row;
	uint64_t seen;      /* the round in which the process was last there */
	bool is_program;    /* not a fork: its start and end are told as events */
	bool told;          /* its start was */
};

struct guest_rows {
	struct supervisor *supervisor;
	VEC(struct written) rows;
	uint64_t round;
	int64_t next_us;
	uint64_t supervisor_start;
	unsigned processes; /* at the last round */
	struct guest_row short_lived; /* the first program, when it ended before it got a row */
};

struct guest_rows *guest_rows_open(struct supervisor *s)
{
	struct guest_rows *g = calloc(1, sizeof *g);
	if (!g)
		abort();
	g->supervisor = s;
	g->supervisor_start = process_start_time(getpid());
	return g;
}

static struct written *find(struct guest_rows *g, pid_t pid)
{
	for (size_t i = 0; i < g->rows.count; i++)
		if (g->rows.at[i].row.pid == pid)
			return &g->rows.at[i];
	return NULL;
}

static unsigned count_processes(const struct supervisor *s)
{
	unsigned n = 0;
	for (size_t i = 0; i < s->families.count; i++)
		n += s->families.at[i]->processes.count;
	return n;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

__attribute__((format(printf, 3, 4))) static void add(char *text, size_t size, const char *format, ...)
{
	va_list arguments;
	size_t used = strlen(text);
	va_start(arguments, format);
	vsnprintf(text + used, size - used, format, arguments);
	va_end(arguments);
}

static void describe_refusals(const struct loaded *l, char *out, size_t size)
{
	if (l->refused)
		add(out, size, "; %u stay native", l->refused);
	for (int why = 0, n = 0; why < REFUSALS; why++)
		if (l->refused_by[why])
			add(out, size, "%s%u %s", n++ ? ", " : ": ", l->refused_by[why], refusal_text(why));
}

/* What `ps -v` adds. */
static void describe(const struct family *f, pid_t pid, char *out, size_t size)
{
	const struct springboard_counts *c = &f->image.counts;
	*out = 0;
	add(out, size, "springboards: %u long (%u through hops), %u short, %u traps, %u runs in place; landings: %lu\n", c->jumps, c->hops, c->short_jumps,
	    c->traps, c->in_place, (unsigned long)f->image.shared->landings);
	for (size_t i = 0; i < f->image.modules.count; i++) {
		const struct loaded *l = f->image.modules.at[i];
		if (!image_process_has(l, pid))
			continue;
		add(out, size, "%s: %zu of %zu procedures redirected", base_name(l->module->path), image_redirected_count(l), l->module->range_count);
		if (f->image.visits == VISITS_PROCEDURES)
			add(out, size, ", %zu executed", image_visited(&f->image, l));
		describe_refusals(l, out, size);
		add(out, size, "%s\n", l->zone ? "" : "; all native: out of reach of the code cache");
	}
}

static void fill(struct guest_rows *g, const struct family *f, const struct family_process *p, struct guest_row *row)
{
	row->pid = p->pid;
	row->pid_start = p->start;
	row->supervisor = getpid();
	row->supervisor_start = g->supervisor_start;
	row->redirected = row->native_refused = 0;
	for (size_t i = 0; i < f->image.modules.count; i++) {
		const struct loaded *l = f->image.modules.at[i];
		if (image_process_has(l, p->pid)) {
			row->redirected += image_redirected_count(l);
			row->native_refused += l->refused;
		}
	}
	row->patches = enforcement_patches_in(g->supervisor->enforcement, f);
	snprintf(row->program, sizeof row->program, "%s", f->program);
}

static bool differs(const struct guest_row *a, const struct guest_row *b)
{
	return a->pid_start != b->pid_start || a->supervisor != b->supervisor || a->redirected != b->redirected || a->native_refused != b->native_refused ||
	       a->patches != b->patches || strcmp(a->program, b->program);
}

static void tell(struct guest_rows *g, const struct guest_row *row, const char *what)
{
	struct event e = {.kind = "process", .pid = row->pid};
	snprintf(e.text, sizeof e.text, "%s: %s", row->program, what);
	store_event_add(g->supervisor->store, &e);
}

/* A script's many short-lived programs would flood the log: only the first program is told at once. */
static bool is_due(const struct guest_rows *g, const struct written *w)
{
	return w->is_program && !w->told && (w == g->rows.at || clock_us() - w->row.since_us >= SETTLED_US);
}

/* The first process of a program that stays is the one whose start and end are told; its forks are not. */
static struct written *first_row(struct guest_rows *g, const struct family *f, const struct family_process *p)
{
	bool first = true;
	for (size_t i = 0; i < f->processes.count; i++)
		first &= !find(g, f->processes.at[i].pid);
	vec_push(&g->rows, (struct written){.row = {.pid = p->pid, .since_us = clock_us()}, .is_program = first});
	return &g->rows.at[g->rows.count - 1];
}

static void update(struct guest_rows *g, const struct family *f, const struct family_process *p, bool all)
{
	struct written *w = find(g, p->pid);
	bool is_new = !w;
	if (is_new)
		w = first_row(g, f, p);
	struct guest_row row = w->row;
	fill(g, f, p, &row);
	w->seen = g->round;
	if (is_due(g, w)) {
		tell(g, &row, "guarded");
		w->told = true;
	}
	if (!all && !is_new && !differs(&row, &w->row))
		return;
	describe(f, p->pid, row.detail, sizeof row.detail);
	w->row = row;
	store_guest_put(g->supervisor->store, &row);
}

static void remove_row(struct guest_rows *g, size_t i)
{
	struct written *w = &g->rows.at[i];
	store_guest_delete(g->supervisor->store, w->row.pid);
	if (w->told)
		tell(g, &w->row, "ended");
	g->rows.at[i] = g->rows.at[--g->rows.count];
}

/* Nothing to write, and so no transaction: the usual case. */
static bool up_to_date(struct guest_rows *g)
{
	struct supervisor *s = g->supervisor;
	struct guest_row row;
	if (g->rows.count != count_processes(s))
		return false;
	for (size_t i = 0; i < s->families.count; i++)
		for (size_t k = 0; k < s->families.at[i]->processes.count; k++) {
			struct written *w = find(g, s->families.at[i]->processes.at[k].pid);
			if (!w || is_due(g, w))
				return false;
			row = w->row;
			fill(g, s->families.at[i], &s->families.at[i]->processes.at[k], &row);
			if (differs(&row, &w->row))
				return false;
		}
	return true;
}

static void write_rows(struct guest_rows *g, bool all)
{
	struct supervisor *s = g->supervisor;
	g->processes = count_processes(s);
	g->next_us = clock_us() + EVERY_MS * 1000;
	if ((!all && up_to_date(g)) || store_begin(s->store))
		return;
	g->round++;
	for (size_t i = 0; i < s->families.count; i++)
		for (size_t k = 0; k < s->families.at[i]->processes.count; k++)
			update(g, s->families.at[i], &s->families.at[i]->processes.at[k], all);
	for (size_t i = g->rows.count; i-- > 0;)
		if (g->rows.at[i].seen != g->round)
			remove_row(g, i);
	if (store_commit(s->store))
		log_warning("the list of processes could not be written: %s", store_error(s->store));
}

void guest_rows_tick(struct guest_rows *g)
{
	if (clock_us() >= g->next_us)
		write_rows(g, false);
}

void guest_rows_flush(struct guest_rows *g)
{
	write_rows(g, true);
}

unsigned guest_rows_patience_ms(const struct guest_rows *g)
{
	return g->processes != count_processes(g->supervisor) || g->rows.count != g->processes ? EVERY_MS : ~0u;
}

void guest_rows_family_ended(struct guest_rows *g, const struct family *f)
{
	if (!g->round && !*g->short_lived.program)
		snprintf(g->short_lived.program, sizeof g->short_lived.program, "%s", f->program);
}

static int inherit_row(void *context, const struct guest_row *row)
{
	struct guest_rows *g = context;
	for (size_t i = 0; i < g->supervisor->families.count; i++) {
		struct family_process *p = family_process(g->supervisor->families.at[i], row->pid);
		bool first = p == g->supervisor->families.at[i]->processes.at;
		if (p && p->start == row->pid_start)
			vec_push(&g->rows, (struct written){.row = *row, .is_program = first, .told = first});
	}
	return 0;
}

void guest_rows_inherit(struct guest_rows *g)
{
	store_guests(g->supervisor->store, inherit_row, g);
	guest_rows_flush(g);
}

void guest_rows_close(struct guest_rows *g)
{
	bool any = g->rows.count || *g->short_lived.program;
	if (any && !store_begin(g->supervisor->store)) {
		if (*g->short_lived.program && !g->round)
			tell(g, &g->short_lived, "guarded, and ended soon");
		while (g->rows.count)
			remove_row(g, g->rows.count - 1);
		if (store_commit(g->supervisor->store))
			log_warning("the list of processes could not be written: %s", store_error(g->supervisor->store));
	}
	vec_free(&g->rows);
	free(g);
}
