#include "engine/image.h"
#include "engine/image_private.h"
#include "engine/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "x86/emit.h"

void image_init(struct image *im, uint8_t *code_host, void *shared_host, uint64_t base, const struct text_access *access)
{
	*im = (struct image){.code_host = code_host, .shared = shared_host, .base = base, .access = *access, .generation = 1, .next_probe = 1, .snapshots = -1, .code_file = -1};
	im->tables = (struct guest_tables *)(code_host + GUEST_TABLES_OFFSET);
	im->tables->abi_version = GUEST_ABI_VERSION;
	im->next_map = GUEST_MAPS_OFFSET;
	im->tables->legacy.next_map = im->next_map;
	im->tables->legacy.next_probe = im->next_probe;
	im->tables->legacy.generation = im->generation;
}

/* jmp *2(%rip); 2 bytes; .quad target: the way from any zone to the blob in zone 0. Aligned: a program may have the processor check that. */
uint64_t emit_stub(struct zone *z, uint64_t target)
{
	uint64_t at = zone_reserve(z, 16);
	if (!at)
		return 0;
	struct emitter e = {zone_host(z, at), at, 16, 0, false};
	emit_bytes(&e, (uint8_t[]){0xff, 0x25, 2, 0, 0, 0, 0xcc, 0xcc}, 8);
	emit_bytes(&e, &target, 8);
	return at;
}

void image_add_zone(struct image *im, uint64_t start, bool above)
{
	size_t n = im->zone_count++;
	struct zone *z = &im->zones[n];
	const struct guest_header *header = (const struct guest_header *)im->code_host;
	zone_init(z, start, above, im->code_host + GUEST_CODE_OFFSET + n * ZONE_SIZE);
	z->next_copy = im->tables->legacy.next_copy[n];
	z->hop_pages = im->tables->legacy.hop_pages[n];
	im->tables->legacy.zone[n] = start;
	im->tables->legacy.above[n] = above;
	z->stub_probe = emit_stub(z, im->base + header->entry[ENTRY_PROBE]);
	im->tables->code_start[n] = start;
	im->tables->code_end[n] = start + ZONE_SIZE;
}

void image_unload(struct image *im, struct loaded *l)
{
	for (size_t i = 0; i < im->modules.count; i++)
		if (im->modules.at[i] == l) {
			im->modules.at[i] = im->modules.at[--im->modules.count];
			break;
		}
	if (l->entry)
		__atomic_store_n(&l->entry->end, 0, __ATOMIC_RELEASE), __atomic_store_n(&l->entry->start, 0, __ATOMIC_RELEASE);
	for (size_t i = 0; i < l->redirected.count; i++)
		image_free_redirected(l->redirected.at[i]);
	vec_free(&l->redirected);
	snapshot_free(l);
	vec_free(&l->in);
	vec_free(&l->sealed);
	free(l->fetched);
	vec_free(&l->written);
	vec_free(&l->refusals);
	image_forget_wishes(im, l);
	free(l->owner);
	free(l->visit_probes);
	free(l);
}

void image_release(struct image *im)
{
	while (im->modules.count)
		image_unload(im, im->modules.at[0]);
	for (size_t i = 0; i < im->zone_count; i++)
		zone_release(&im->zones[i]);
	vec_free(&im->modules);
	vec_free(&im->processes);
	vec_free(&im->free_probes);
	vec_free(&im->former);
	vec_free(&im->dirty);
}

static struct zone *zone_for(struct image *im, const struct module *m, uint64_t bias)
{
	uint64_t low = UINT64_MAX, high = 0;
	for (size_t i = 0; i < m->segment_count; i++) {
		if (m->segments[i].offset < low)
			low = m->segments[i].offset;
		if (m->segments[i].offset + m->segments[i].memory_size > high)
			high = m->segments[i].offset + m->segments[i].memory_size;
	}
	for (size_t i = 0; i < im->zone_count; i++)
		if (zone_reaches(&im->zones[i], low + bias, high + bias))
			return &im->zones[i];
	return NULL;
}

struct loaded *image_load(struct image *im, struct module *m, uint64_t bias)
{
	struct loaded *l = calloc(1, sizeof *l);
	if (!l)
		abort();
	l->module = m;
	l->fresh = !im->has_inherited;
	l->bias = bias;
	l->text = (struct range){UINT64_MAX, 0};
	for (size_t i = 0; i < m->segment_count; i++) {
		const struct segment *s = &m->segments[i];
		if (!module_text(m, s->offset))
			continue;
		if (s->offset + bias < l->text.start)
			l->text.start = s->offset + bias;
		if (s->offset + bias + s->file_size > l->text.end)
			l->text.end = s->offset + bias + s->file_size;
	}
	l->zone = zone_for(im, m, bias);
	if (im->has_inherited && l->zone)
		image_inherit_map(im, l);
	vec_push(&im->modules, l);
	return l;
}

struct loaded *image_module_at(struct image *im, uint64_t address)
{
	for (size_t i = 0; i < im->modules.count; i++)
		if (address >= im->modules.at[i]->text.start && address < im->modules.at[i]->text.end)
			return im->modules.at[i];
	return NULL;
}

struct loaded *image_module(struct image *im, const struct module_key *key)
{
	for (size_t i = 0; i < im->modules.count; i++)
		if (!strcmp(im->modules.at[i]->module->key.hex, key->hex))
			return im->modules.at[i];
	return NULL;
}

/* The one that was freed first: whoever was in its copy has most likely left. */
static uint32_t free_probe_take(struct image *im)
{
	if (im->free_probes_used == im->free_probes.count)
		return 0;
	uint32_t n = im->free_probes.at[im->free_probes_used++];
	if (im->free_probes_used * 2 > im->free_probes.count) {
		im->free_probes.count -= im->free_probes_used;
		memmove(im->free_probes.at, im->free_probes.at + im->free_probes_used, im->free_probes.count * sizeof *im->free_probes.at);
		im->free_probes_used = 0;
	}
	return n;
}

uint32_t image_probe_new(struct image *im)
{
	uint32_t n;
	if ((n = free_probe_take(im)))
		;
	else if (im->next_probe < PROBE_COUNT_MAX)
		im->tables->legacy.next_probe = 1 + (n = im->next_probe++);
	else
		return 0;
	__atomic_store_n(&im->tables->probe[n].leaves, 0, __ATOMIC_SEQ_CST); /* before the rest: a guest may be looking */
	im->tables->probe[n] = (struct guest_probe){.cfa_register = REG_NONE, .turn = (im->tables->probe[n].turn + 1) % PROBE_TURNS};
	memset(&im->shared->tally[n], 0, sizeof im->shared->tally[n]);
	return n;
}

void image_probe_free(struct image *im, uint32_t probe)
{
	if (!probe)
		return;
	__atomic_store_n(&im->tables->probe[probe].enabled, 0, __ATOMIC_RELEASE);
	/* Its number may still be woven into a copy that a thread is in, for ever. There it says whose turn it was. Only of observing probes are there many. */
	if (im->tables->probe[probe].work == PROBE_OBSERVE)
		vec_push(&im->free_probes, probe);
}

void image_probe_leaves(struct image *im, uint32_t probe)
{
	struct guest_probe *p = &im->tables->probe[probe];
	__atomic_store_n(&p->leaves, p->work == PROBE_OBSERVE && p->resume, __ATOMIC_RELEASE);
}

uint32_t image_probe_id(const struct image *im, uint32_t probe)
{
	return PROBE_ID(probe % PROBE_COUNT_MAX, im->tables->probe[probe % PROBE_COUNT_MAX].turn);
}

struct guest_probe *image_probe(struct image *im, uint32_t probe)
{
	return &im->tables->probe[probe % PROBE_COUNT_MAX];
}

void image_fill(struct image *im, void *host, const void *bytes, size_t size)
{
	ssize_t put = im->code_file < 0 ? -1 : pwrite(im->code_file, bytes, size, (uint8_t *)host - im->code_host);
	if (put != (ssize_t)size)
		memcpy(host, bytes, size);
}

uint64_t image_reserve_tables(struct image *im, uint64_t size)
{
	uint64_t at = im->next_map;
	if (size > GUEST_TABLES_SIZE - at)
		return 0;
	im->tables->legacy.next_map = im->next_map = (at + size + 4095) & ~4095ul;
	return at;
}

/* A landing map of four bytes a byte of text; pages that nothing lands in are never touched. */
int image_give_map(struct image *im, struct loaded *l)
{
	size_t slot = 0;
	uint64_t map;
	while (slot < GUEST_MODULES_MAX && im->tables->module[slot].map && im->tables->module[slot].start)
		slot++;
	if (slot == GUEST_MODULES_MAX || !(map = image_reserve_tables(im, (l->text.end - l->text.start) * sizeof(uint32_t))))
		return -ENOSPC;
	struct guest_module *g = &im->tables->module[slot];
	g->map = map;
	g->code = l->zone->start;
	g->identity = image_module_identity(l->module);
	g->range_count = 0;
	l->map = (uint32_t *)((uint8_t *)im->tables + map);
	/* While one of them is 0 the other must not make it hold anything: a guest may be looking. */
	__atomic_store_n(&g->start, l->text.start, __ATOMIC_RELEASE);
	__atomic_store_n(&g->end, l->text.end, __ATOMIC_RELEASE);
	if (slot >= im->tables->module_count)
		__atomic_store_n(&im->tables->module_count, slot + 1, __ATOMIC_RELEASE);
	l->entry = g;
	return 0;
}

static int order_actions(const void *a, const void *b)
{
	const struct guest_fault_action *x = a, *y = b;
	return x->address < y->address ? -1 : x->address > y->address;
}

void image_fault_actions(struct image *im, struct guest_fault_action *actions, size_t count)
{
	uint32_t other = !(im->tables->fault_current & 1);
	if (count > FAULT_ACTIONS_MAX)
		count = FAULT_ACTIONS_MAX;
	qsort(actions, count, sizeof *actions, order_actions);
	memcpy(im->tables->fault[other], actions, count * sizeof *actions);
	im->tables->fault_count[other] = count;
	__atomic_store_n(&im->tables->fault_current, other, __ATOMIC_RELEASE);
}
