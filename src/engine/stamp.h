/* Files that are kept about a module for the next supervisor. The stamp at their start says which module and which build of ClearView they belong to, for only the build
 * that wrote one can read it, and that they are whole: one that is damaged or foreign is as good as none. */
#ifndef ENGINE_STAMP_H
#define ENGINE_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/module.h"

struct stamp {
	char magic[8];
	uint8_t build[24];              /* GNU build-id of the ClearView that wrote it */
	struct module_key key;
	uint64_t file_size, changed_ns; /* of the module's file */
	uint64_t size;                  /* of the whole file, in bytes */
	uint64_t checksum;              /* of the whole file, itself taken for 0 */
};

enum { STAMP_NAME_SIZE = 128 };

/* The name of the module's file of that kind. */
void stamp_name(const struct module *m, const char *kind, char out[STAMP_NAME_SIZE]);
/* Stamps a file in memory, a multiple of 8 bytes, that starts with a stamp. False for a build without an id: its files could not be told from another's. */
bool stamp(const struct module *m, const char magic[8], void *file, size_t size) __attribute__((warn_unused_result));
/* Is it the module's, of this build? Looks at no more than the stamp. */
bool stamp_fits(const struct stamp *s, const struct module *m, const char magic[8], size_t size);
/* Is the file as it was written? Reads all of it. */
bool stamp_holds(const struct stamp *s);

#endif
