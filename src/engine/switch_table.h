/* Recognises compilers' jump tables: `lea table(%rip), base; movslq (base, index, 4), r; add base, r; jmp *r`; and those whose entries count from a label of
 * the procedure's, which another lea takes (`&&label - &&base` in C); and, in programs at a fixed address, `jmp *table(,index,8)` and `mov table(,index,8), r`. */
#ifndef ENGINE_SWITCH_TABLE_H
#define ENGINE_SWITCH_TABLE_H

#include "engine/module.h"

typedef void switch_target(void *context, uint64_t target);

/* Could a table be at this module offset? */
bool switch_table_is_possible(const struct module *m, const struct range *ranges, size_t range_count, uint64_t table);
/* If a run of 32-bit entries starts at `table` (a possible one) that, counted from `base`, point into the ranges, or into split-off parts outside, calls `found` for each. What is no table yields
 * nothing or harmless extra targets; what is missed is found by landing. False: none. */
bool switch_table_targets(const struct module *m, const struct range *ranges, size_t range_count, uint64_t table, uint64_t base, switch_target *found,
			  void *context);

/* Has the instruction an operand disp32(,index,8) with which tables of addresses are read? */
bool switch_table_indexed(const uint8_t *insn, size_t length, uint64_t *table);
/* The same for a possible table of 64-bit addresses, of a module at a fixed address. */
void switch_table_addresses(const struct module *m, const struct range *ranges, size_t range_count, uint64_t table, switch_target *found, void *context);

#endif
