/* Recognises compilers' jump tables: `lea table(%rip), base; movslq (base, index, 4), r; add base, r; jmp *r`; and those whose entries count from a label of
 * the procedure's, which another lea takes (`&&label - &&base` in C); and, in programs at a fixed address, `jmp *table(,index,8)` and `mov table(,index,8), r`. */
#ifndef ENGINE_SWITCH_TABLE_H
#define ENGINE_SWITCH_TABLE_H

#include "engine/module.h"

/* Could a table be at this module offset? */
bool switch_table_is_possible(const struct module *m, const struct range *ranges, size_t range_count, uint64_t table);
/* Entry `index` of what may be a table of 32-bit numbers counted from `base`, or, of a module at a fixed address (base 0), of 64-bit addresses. False: the table ends
 * before that, as far as the entry itself tells: it points neither into the ranges nor into a split-off part outside. */
bool switch_table_target(const struct module *m, const struct range *ranges, size_t range_count, uint64_t table, uint64_t base, size_t index, uint64_t *target);

/* Has the instruction an operand disp32(,index,8) with which tables of addresses are read? */
bool switch_table_indexed(const uint8_t *insn, size_t length, uint64_t *table);

#endif
