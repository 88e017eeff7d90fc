/* The code around a program point, as it lies in the module's file. */
#ifndef CLI_DISASSEMBLE_H
#define CLI_DISASSEMBLE_H

#include "engine/module.h"

#include <stdbool.h>

struct code_line {
	uint64_t offset;
	bool is_point;
	char bytes[48]; /* "48 8b 07" */
	char text[128]; /* Intel syntax; targets are module offsets */
};

enum { CODE_BEFORE = 10, CODE_AFTER = 10, CODE_LINES_MAX = CODE_BEFORE + 1 + CODE_AFTER };

/* Decodes from the start of the procedure's range, so the lines in front are real instructions; where that does not meet the point, from the
 * point on. Returns the count of lines, 0 if there is no code. */
size_t disassemble_around(const struct module *m, uint64_t offset, struct code_line lines[CODE_LINES_MAX]);

#endif
