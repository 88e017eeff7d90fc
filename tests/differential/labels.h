/* Addresses in the code that are known later. */
#ifndef LABELS_H
#define LABELS_H

#include "program.h"

enum { LABEL_ANYWHERE = 0xffffffff }; /* some instruction of what was declared open */

void labels_init(uint32_t count);
void label_here(struct program *p, uint32_t label);
void label_at(struct program *p, uint32_t label, uint32_t offset);
/* Instructions that start in [from, to) may be jumped to. */
void labels_open(struct program *p, uint32_t from, uint32_t to);

/* The next four bytes: the distance from behind them; from an offset in the code. The next eight: the address minus a key. */
void label_distance(struct program *p, uint32_t label);
void label_distance_from(struct program *p, uint32_t label, uint32_t offset);
void label_address(struct program *p, uint32_t label, uint64_t key);
/* The tables' next entry: a 32-bit distance from their offset `base`; an address. */
void label_in_table(struct program *p, uint32_t label, uint32_t base);
void label_address_in_table(struct program *p, uint32_t label);
void align_table(struct program *p);

void labels_resolve(struct program *p);

#endif
