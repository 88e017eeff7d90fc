/* A folder of its own for each test, and rows to put into it. */
#ifndef UNIT_STATE_FOLDER_H
#define UNIT_STATE_FOLDER_H

#include "base/vec.h"
#include "node/store.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct state_folder {
	char path[64];
	char file[80];
};

static inline int state_remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	return remove(path);
}

static inline int state_setup(void **state)
{
	struct state_folder *f = calloc(1, sizeof *f);
	strcpy(f->path, "/tmp/clearview-unit-XXXXXX");
	if (!f || !mkdtemp(f->path))
		return -1;
	snprintf(f->file, sizeof f->file, "%s/state.db", f->path);
	*state = f;
	return 0;
}

static inline int state_teardown(void **state)
{
	struct state_folder *f = *state;
	int error = nftw(f->path, state_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return error;
}

static inline struct store *state_open(const struct state_folder *f)
{
	struct store *s;
	if (store_open(f->path, &s))
		fail_msg("%s", store_error(NULL));
	return s;
}

static inline struct point state_point(const char *module, uint64_t offset)
{
	struct point at = {.offset = offset};
	snprintf(at.module.hex, sizeof at.module.hex, "%s", module);
	return at;
}

static inline struct invariant state_one_of(const char *module, uint64_t offset)
{
	return (struct invariant){
		.kind = INVARIANT_ONE_OF, .procedure = 0x1000, .count = 3, .value = {INT64_MIN, -1, 7}, .relative = 4, .samples = 12,
		.a = {.at = state_point(module, offset), .slot = 1,
		      .operand = {.kind = OPERAND_MEMORY, .size = 4, .reg = REG_NONE, .base = REG_RBX, .index = REG_R12, .scale = 8, .displacement = -16}},
	};
}

static inline struct failure state_failure(const char *module, uint64_t offset)
{
	struct failure f = {.monitor = MONITOR_CRASH, .signal = 11, .at = state_point(module, offset), .fault_address = UINT64_MAX - 7, .rip = 0x555500001234,
			    .rflags = 0x246, .depth = 3, .location_frame = 1, .pid = 77, .tid = 78, .time_us = 1700000000000000};
	for (unsigned i = 0; i < REG_COUNT; i++)
		f.registers[i] = 0x8000000000000000u + i;
	for (unsigned i = 0; i < f.depth; i++)
		f.stack[i] = (struct frame){.at = state_point(i == 2 ? "" : module, offset + i), .procedure = offset, .address = 0x7f00 + i, .cfa = 0x7ffc0000 + 16 * i};
	snprintf(f.facts, sizeof f.facts, "reads 8 bytes at 0x0");
	snprintf(f.program, sizeof f.program, "/usr/bin/example");
	return f;
}

static inline struct location state_location(const char *module, uint64_t offset)
{
	return (struct location){.monitor = MONITOR_CRASH, .at = state_point(module, offset), .state = LOCATION_CHECKING, .presentations = 2,
				 .check_failures = 1, .first_us = 5, .last_us = 9, .last = state_failure(module, offset)};
}

#endif
