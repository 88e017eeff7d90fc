/* What was asked of a module's symbol tables, and the answers. */
#ifndef ENGINE_MODULE_SYMBOLS_H
#define ENGINE_MODULE_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"

struct symbol_answer {
	char name[46];
	bool exported, found; /* exported: only .dynsym was asked */
	uint64_t offset;
};

struct symbol_answers VEC_OF(struct symbol_answer);

#endif
