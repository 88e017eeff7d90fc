#include "learn_code.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

uint64_t dice_throw(struct dice *d)
{
	uint64_t x = d->state += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

unsigned dice_below(struct dice *d, unsigned sides)
{
	return dice_throw(d) % sides;
}

enum { CODE_OFFSET = 0x1000 };

struct procedure *code_procedure(const char *hex)
{
	size_t size = strlen(hex) / 2;
	uint8_t *bytes = calloc(size + 16, 1);
	struct module *m = calloc(1, sizeof *m);
	for (size_t i = 0; i < size; i++)
		sscanf(hex + 2 * i, "%2hhx", &bytes[i]);
	m->file = bytes;
	m->size = size;
	m->stack_flags = -1;
	strcpy(m->key.hex, "0123456789abcdef");
	m->segments[0] = (struct segment){CODE_OFFSET, size, size, 0, PROT_READ | PROT_EXEC};
	m->segment_count = 1;
	m->ranges = calloc(1, sizeof *m->ranges);
	m->ranges[0] = (struct range){CODE_OFFSET, CODE_OFFSET + size};
	m->range_count = 1;
	struct procedure *p;
	if (procedure_decode(m, CODE_OFFSET, &p))
		abort();
	return p;
}

void code_free(struct procedure *p)
{
	struct module *m = p->module;
	procedure_free(p);
	free(m->ranges);
	free((void *)m->file);
	free(m);
}

struct module *code_library(void)
{
	static struct module *library;
	Dl_info info;
	/* Which sanitizers leave alone: theirs is another library, with other procedures. */
	if (!library && (!dladdr((void *)(uintptr_t)gnu_get_libc_version, &info) || module_open(info.dli_fname, &library)))
		abort();
	return library;
}

struct procedure *code_library_procedure(struct dice *d, size_t insns_max)
{
	struct module *m = code_library();
	for (;;) {
		struct procedure *p;
		const struct range *range = &m->ranges[dice_throw(d) % m->range_count];
		if (range->end - range->start > insns_max * 15 || procedure_decode(m, range->start, &p))
			continue;
		if (p->insn_count > 5 && p->insn_count <= insns_max)
			return p;
		procedure_free(p);
	}
}
