#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t random_state;

void random_seed(uint64_t seed)
{
	random_state = seed;
}

uint64_t random_next(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint32_t random_below(uint32_t n)
{
	return random_next() % n;
}

bool chance(uint32_t one_in)
{
	return random_below(one_in) == 0;
}

/* Where programs lie: low as without -pie, elsewhere below 4 GB, and where position-independent ones are loaded. */
static const uint64_t images[] = {0x400000, 0x10000000, 0x56000000, 0x555555554000, 0x7e0000000000, 0x2000000000};

static void *allocate(size_t size)
{
	void *p = calloc(1, size);
	if (!p)
		abort();
	return p;
}

void program_init(struct program *p, uint64_t seed)
{
	random_seed(seed);
	*p = (struct program){.seed = seed, .image = images[random_below(sizeof images / sizeof *images)]};
	p->code = p->image + 0x1000000;
	p->tables = p->image + 0x3000000;
	p->data = p->image + 0x4000000;
	p->stack = p->image + 0x5000000;
	p->bytes = allocate(CODE_MAX);
	p->starts = allocate(CODE_MAX / 8);
	p->table = allocate(TABLES_MAX);
	p->cases = allocate(CASES_MAX * sizeof *p->cases);
	p->procedures = allocate(CASES_MAX * sizeof *p->procedures);
}

uint64_t here(const struct program *p)
{
	return p->code + p->used;
}

static _Noreturn void too_much(const char *what)
{
	fprintf(stderr, "generate: too much %s\n", what);
	exit(2);
}

void put(struct program *p, const void *bytes, size_t size, bool start)
{
	if (p->used + size > CODE_MAX)
		too_much("code");
	if (start)
		p->starts[p->used / 8] |= 1 << p->used % 8;
	memcpy(p->bytes + p->used, bytes, size);
	p->used += size;
}

void put_padding(struct program *p, uint8_t byte, uint32_t until)
{
	while (p->used < until)
		put(p, &byte, 1, false);
}

/* The first word of the tables is the address of fuzz_leave, the second that of fuzz_checkpoint. */
void put_leave(struct program *p)
{
	int32_t distance = p->tables - (here(p) + 6);
	put(p, "\xff\x25", 2, true);
	put(p, &distance, 4, false);
}

void begin_case(struct program *p)
{
	if (p->case_count == CASES_MAX)
		too_much("cases");
	p->cases[p->case_count++] = p->used;
}

void begin_procedure(struct program *p, bool described)
{
	p->procedures[p->procedure_count++] = (struct procedure_range){p->used, p->used, described};
}

void end_procedure(struct program *p)
{
	p->procedures[p->procedure_count - 1].end = p->used;
}

static FILE *open_file(const char *prefix, const char *suffix)
{
	char name[4096];
	snprintf(name, sizeof name, "%s.%s", prefix, suffix);
	FILE *f = fopen(name, "w");
	if (!f) {
		perror(name);
		exit(2);
	}
	return f;
}

static void write_bytes(const char *prefix, const char *suffix, const void *bytes, size_t size)
{
	FILE *f = open_file(prefix, suffix);
	fwrite(bytes, 1, size, f);
	fclose(f);
}

static void write_code(const struct program *p, const char *prefix, FILE *f)
{
	uint32_t at = 0;
	fprintf(f, "\t.globl fuzz_code, fuzz_code_end\n\t.section .fuzz_code, \"ax\"\nfuzz_code:\n");
	for (uint32_t i = 0; i < p->procedure_count; i++) {
		const struct procedure_range *r = &p->procedures[i];
		if (!r->described || r->start == r->end)
			continue;
		if (at < r->start)
			fprintf(f, "\t.incbin \"%s.code\", %u, %u\n", prefix, at, r->start - at);
		fprintf(f, "\t.cfi_startproc\n\t.incbin \"%s.code\", %u, %u\n\t.cfi_endproc\n", prefix, r->start, r->end - r->start);
		at = r->end;
	}
	if (at < p->used)
		fprintf(f, "\t.incbin \"%s.code\", %u, %u\n", prefix, at, p->used - at);
	fprintf(f, "fuzz_code_end:\n");
}

static void write_assembly(const struct program *p, const char *prefix)
{
	FILE *f = open_file(prefix, "S");
	write_code(p, prefix, f);
	fprintf(f, "\t.section .fuzz_tables, \"a\"\n\t.quad fuzz_leave, fuzz_checkpoint\n\t.incbin \"%s.tables\"\n", prefix);
	fprintf(f, "\t.globl fuzz_starts, fuzz_cases, fuzz_case_count, fuzz_seed, fuzz_depth, fuzz_data, fuzz_stack\n\t.section .rodata\n");
	fprintf(f, "fuzz_starts:\t.incbin \"%s.starts\"\n\t.balign 4\nfuzz_case_count:\t.long %u\nfuzz_seed:\t.long %u\nfuzz_depth:\t.long %u\nfuzz_cases:\n", prefix,
		p->case_count, (uint32_t)p->seed, p->depth);
	for (uint32_t i = 0; i < p->case_count; i++)
		fprintf(f, "\t.long %u\n", p->cases[i]);
	fprintf(f, "\t.section .fuzz_tables, \"a\"\n\t.balign 8\n"); /* addresses that analysis can find: most cases, not all */
	for (uint32_t i = 0; i < p->case_count; i++)
		if (!chance(8))
			fprintf(f, "\t.quad fuzz_code + %u\n", p->cases[i]);
	fprintf(f, "\t.section .fuzz_data, \"aw\", @nobits\nfuzz_data:\t.skip %u\n\t.section .fuzz_stack, \"aw\", @nobits\nfuzz_stack:\t.skip %u\n", DATA_SIZE,
		STACK_SIZE);
	fprintf(f, "\t.section .note.GNU-stack, \"\", @progbits\n");
	fclose(f);
}

static void write_places(const struct program *p, const char *prefix)
{
	FILE *f = open_file(prefix, "ld");
	fprintf(f, "-Ttext-segment=%#lx\n--section-start=.fuzz_code=%#lx\n--section-start=.fuzz_tables=%#lx\n--section-start=.fuzz_data=%#lx\n"
		   "--section-start=.fuzz_stack=%#lx\n", p->image, p->code, p->tables, p->data, p->stack);
	fclose(f);
}

void program_write(const struct program *p, const char *prefix)
{
	write_bytes(prefix, "code", p->bytes, p->used);
	write_bytes(prefix, "tables", p->table, p->table_used);
	write_bytes(prefix, "starts", p->starts, p->used / 8 + 1);
	write_assembly(p, prefix);
	write_places(p, prefix);
}
