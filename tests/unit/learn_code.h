/* For tests of learning: real procedures of the C library, and procedures made from a few bytes of code. */
#ifndef TESTS_LEARN_CODE_H
#define TESTS_LEARN_CODE_H

#include "engine/procedure.h"

/* A small generator of pseudo-random numbers: the same sequence everywhere. */
struct dice {
	uint64_t state;
};
uint64_t dice_throw(struct dice *d);
/* 0 .. sides - 1 */
unsigned dice_below(struct dice *d, unsigned sides);

/* Code given in hex at module offset 0x1000, entered there. */
struct procedure *code_procedure(const char *hex);
void code_free(struct procedure *p);

/* The C library this test runs with, opened once. */
struct module *code_library(void);

/* A procedure of the library with that many instructions at most, chosen by the dice; procedure_free it. */
struct procedure *code_library_procedure(struct dice *d, size_t insns_max);

#endif
