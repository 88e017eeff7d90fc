/* Predominance in a procedure: instruction a predominates b if a comes before b on every path from the entry to b (paper section 2.2.1).
 * An indirect jump may go to each of procedure.landings. Blocks that known flow does not reach (landing pads, mostly) can be entered from
 * anywhere: nothing outside of them predominates them, nor, because of them, what they lead to. */
#ifndef LEARN_PREDOMINATOR_H
#define LEARN_PREDOMINATOR_H

#include "engine/procedure.h"

enum { BLOCK_NONE = 0xffffffffu };

struct predominators;

/* The result does not refer to the procedure any more. Ends the process when memory is exhausted. */
struct predominators *predominators_new(const struct procedure *p);
void predominators_free(struct predominators *d);

/* Numbers are indices of procedure.insns. Reflexive. */
bool predominates(const struct predominators *d, uint32_t earlier, uint32_t later);

/* The block that holds the instruction; BLOCK_NONE: none. */
uint32_t predominators_block(const struct predominators *d, uint32_t insn);

/* The nearest block that predominates the block; BLOCK_NONE: none. */
uint32_t predominators_parent(const struct predominators *d, uint32_t block);

/* Calls visit for each block that control can come from: predecessors of all blocks in one pass, `from` BLOCK_NONE for entries from outside. */
typedef void edge_visitor(void *context, uint32_t from, uint32_t to);
void predominators_edges(const struct procedure *p, edge_visitor *visit, void *context);

#endif
