#ifndef INSTRUCTIONS_H
#define INSTRUCTIONS_H

#include "program.h"

/* One that goes on to the next or faults, behind what its operands need. */
void put_random_instruction(struct program *p);

#endif
