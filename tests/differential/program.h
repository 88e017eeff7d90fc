/* A program under construction: code, where its cases, procedures and instructions begin, and read-only tables beside it. All addresses are fixed: the
 * generator places the sections, the linker puts them there. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DATA_SIZE = 4096, STACK_SIZE = 65536 };

struct procedure_range {
	uint32_t start, end;
	bool described; /* in .eh_frame */
};

struct program {
	uint32_t depth;        /* of stack that a case may use, bytes */
	uint64_t seed, image;  /* where the program's own sections lie; the others follow at the distances below */
	uint64_t code, tables, data, stack;
	uint8_t *bytes, *starts, *table;
	uint32_t used, table_used, case_count, procedure_count;
	uint32_t *cases;
	struct procedure_range *procedures;
};

enum { CODE_MAX = 1 << 24, TABLES_MAX = 1 << 22, CASES_MAX = 1 << 18 };

/* A program at an address that the seed chooses. */
void program_init(struct program *p, uint64_t seed);
/* Appends bytes to the code; start: an instruction begins there. */
void put(struct program *p, const void *bytes, size_t size, bool start);
void put_padding(struct program *p, uint8_t byte, uint32_t until);
/* jmp *(address of fuzz_leave) */
void put_leave(struct program *p);
void begin_case(struct program *p);
void begin_procedure(struct program *p, bool described);
void end_procedure(struct program *p);
uint64_t here(const struct program *p);
/* Writes PREFIX.code, .tables, .starts, .S and .ld (arguments for the linker). */
void program_write(const struct program *p, const char *prefix);

/* The generator's random numbers. */
uint64_t random_next(void);
uint32_t random_below(uint32_t n);
bool chance(uint32_t one_in);
void random_seed(uint64_t seed);

/* encodings.c, graphs.c */
void generate_encodings(struct program *p, unsigned one_in);
void generate_graphs(struct program *p, unsigned procedures);

#endif
