#include "labels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { IN_CODE_DISTANCE, IN_CODE_ADDRESS, IN_TABLE_DISTANCE, IN_TABLE_ADDRESS };

struct fixup {
	uint8_t kind;
	uint32_t at, label, base;
	uint64_t key;
};

enum { FIXUPS_MAX = 1 << 20, OPEN_MAX = 1 << 20 };

static uint32_t *offsets, label_count, fixup_count, *open_places, open_count;
static struct fixup *fixups;

void labels_init(uint32_t count)
{
	offsets = calloc(count, sizeof *offsets);
	fixups = calloc(FIXUPS_MAX, sizeof *fixups);
	open_places = calloc(OPEN_MAX, sizeof *open_places);
	label_count = count;
	if (!offsets || !fixups || !open_places)
		abort();
}

void label_at(struct program *p, uint32_t label, uint32_t offset)
{
	(void)p;
	offsets[label] = offset;
}

void label_here(struct program *p, uint32_t label)
{
	label_at(p, label, p->used);
}

void labels_open(struct program *p, uint32_t from, uint32_t to)
{
	for (; from < to && open_count < OPEN_MAX; from++)
		if (p->starts[from / 8] >> from % 8 & 1)
			open_places[open_count++] = from;
}

static void note(struct fixup f)
{
	if (fixup_count == FIXUPS_MAX) {
		fprintf(stderr, "generate: too many labels\n");
		exit(2);
	}
	fixups[fixup_count++] = f;
}

void label_distance_from(struct program *p, uint32_t label, uint32_t offset)
{
	note((struct fixup){IN_CODE_DISTANCE, p->used, label, offset, 0});
	put(p, (uint8_t[4]){0}, 4, false);
}

void label_distance(struct program *p, uint32_t label)
{
	label_distance_from(p, label, p->used + 4);
}

void label_address(struct program *p, uint32_t label, uint64_t key)
{
	note((struct fixup){IN_CODE_ADDRESS, p->used, label, 0, key});
	put(p, (uint8_t[8]){0}, 8, false);
}

static void extend_table(struct program *p, uint32_t size)
{
	if ((p->table_used += size) > TABLES_MAX)
		exit(2);
}

void label_in_table(struct program *p, uint32_t label, uint32_t base)
{
	note((struct fixup){IN_TABLE_DISTANCE, p->table_used, label, base, 0});
	extend_table(p, 4);
}

void label_address_in_table(struct program *p, uint32_t label)
{
	note((struct fixup){IN_TABLE_ADDRESS, p->table_used, label, 0, 0});
	extend_table(p, 8);
}

void align_table(struct program *p)
{
	p->table_used = (p->table_used + 7) & ~7u;
}

void labels_resolve(struct program *p)
{
	for (uint32_t i = 0; i < fixup_count; i++) {
		const struct fixup *f = &fixups[i];
		uint32_t offset = f->label == LABEL_ANYWHERE ? open_places[random_below(open_count)] : offsets[f->label];
		uint64_t address = p->code + offset - f->key;
		uint32_t distance = f->kind == IN_TABLE_DISTANCE ? address - (p->tables + 16 + f->base) : offset - f->base;
		switch (f->kind) {
		case IN_CODE_DISTANCE: memcpy(p->bytes + f->at, &distance, 4); break;
		case IN_TABLE_DISTANCE: memcpy(p->table + f->at, &distance, 4); break;
		case IN_CODE_ADDRESS: memcpy(p->bytes + f->at, &address, 8); break;
		case IN_TABLE_ADDRESS: memcpy(p->table + f->at, &address, 8); break;
		}
	}
}
