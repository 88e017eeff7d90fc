/* Recognises compilers' jump tables: `lea table(%rip), base; movslq (base, index, 4), r; add base, r; jmp *r`. */
#ifndef ENGINE_SWITCH_TABLE_H
#define ENGINE_SWITCH_TABLE_H

#include "engine/module.h"

typedef void switch_target(void *context, uint64_t target);

/* If `table` (module offset) starts a run of 32-bit self-relative entries that all point into the ranges, calls `found` for each. What is no
 * table yields nothing or harmless extra targets; what is missed is found by landing. */
void switch_table_targets(const struct module *m, const struct range *ranges, size_t range_count, uint64_t table, switch_target *found, void *context);

#endif
