/* The scan of canaries, and what becomes of what it finds. */
#include "node/heap_watch.h"

#include "base/log.h"
#include "monitor/heap_scan.h"
#include "node/failures.h"
#include "node/heap_private.h"

enum { EVERY_US = 1000000, BUDGET_US = 8000, AT_FAILURE_US = 100000, FINDINGS = 8 };

static bool is_there(struct family *f, pid_t pid)
{
	return family_process(f, pid);
}

static struct heap_scan *scan_of(struct heap_watch *h, struct family *f, pid_t pid)
{
	for (size_t i = 0; i < h->scans.count; i++)
		if (heap_scan_pid(h->scans.at[i]) == pid)
			return h->scans.at[i];
	vec_push(&h->scans, heap_scan_new(pid, heap_watch_address(f)));
	return h->scans.at[h->scans.count - 1];
}

static void forget_ended(struct heap_watch *h, struct family *f)
{
	for (size_t i = 0; i < h->scans.count; i++)
		if (!is_there(f, heap_scan_pid(h->scans.at[i]))) {
			heap_scan_free(h->scans.at[i]);
			h->scans.at[i--] = h->scans.at[--h->scans.count];
		}
	for (size_t i = 0; i < h->damaged.count; i++)
		if (!is_there(f, h->damaged.at[i]))
			h->damaged.at[i--] = h->damaged.at[--h->damaged.count];
}

static void scan_family(struct supervisor *s, struct family *f, int64_t budget_us)
{
	struct guest_heap_finding found[FINDINGS];
	struct heap_watch *h = heap_watch_of(f);
	forget_ended(h, f);
	for (size_t i = 0; i < f->processes.count; i++) {
		pid_t pid = f->processes.at[i].pid;
		unsigned count = heap_scan_step(scan_of(h, f, pid), f->image.tables, budget_us / (int64_t)f->processes.count, found, FINDINGS);
		for (unsigned k = 0; k < count; k++)
			failures_heap_scanned(s, f, pid, &found[k]);
	}
}

void heap_watch_look(struct supervisor *s, struct family *f, pid_t pid)
{
	enum { ROUNDS = 2 }; /* what looks damaged counts when it is seen again */
	struct guest_heap_finding found[FINDINGS];
	struct heap_watch *h = f->image.tables->heap_enabled ? heap_watch_of(f) : NULL;
	for (int i = 0; h && i < ROUNDS; i++) {
		unsigned count = heap_scan_step(scan_of(h, f, pid), f->image.tables, AT_FAILURE_US, found, FINDINGS);
		for (unsigned k = 0; k < count; k++)
			failures_heap_scanned(s, f, pid, &found[k]);
	}
}

void heap_watch_tick(struct supervisor *s)
{
	static int64_t next_us;
	int64_t now = clock_us();
	size_t watched = 0;
	if (now < next_us && next_us - now <= EVERY_US)
		return;
	next_us = now + EVERY_US;
	for (size_t i = 0; i < s->families.count; i++)
		watched += s->families.at[i]->image.tables->heap_enabled != 0;
	for (size_t i = 0; i < s->families.count; i++)
		if (s->families.at[i]->image.tables->heap_enabled)
			scan_family(s, s->families.at[i], BUDGET_US / (int64_t)watched);
}

bool heap_watch_has_told(const struct family *f, pid_t pid, uint64_t block)
{
	for (size_t i = 0; f->heap && i < f->heap->scans.count; i++)
		if (heap_scan_pid(f->heap->scans.at[i]) == pid && heap_scan_has_told(f->heap->scans.at[i], block))
			return true;
	return false;
}
