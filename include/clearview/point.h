/* Program points: places in code that mean the same on every machine, under ASLR and after a restart
 * (paper section 2.2.1, "addresses are written module + offset"). Everything that is stored or shipped uses them. */
#ifndef CLEARVIEW_POINT_H
#define CLEARVIEW_POINT_H

#include <stdint.h>
#include <string.h>

enum { MODULE_KEY_SIZE = 48 };

/* A module's name that survives renaming and relinking elsewhere: the GNU build-id in lower-case hex,
 * or "sha-" and a hash of the file where there is none. NUL-terminated, zero-filled to the end. */
struct module_key {
	char hex[MODULE_KEY_SIZE];
};

/* An instruction: offset is the ELF virtual address within the module (load bias 0), in bytes. */
struct point {
	struct module_key module;
	uint64_t offset;
};

static inline int point_compare(const struct point *a, const struct point *b)
{
	int order = strncmp(a->module.hex, b->module.hex, MODULE_KEY_SIZE);
	if (order)
		return order;
	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

#endif
