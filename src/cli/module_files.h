/* The files behind module keys, opened when asked for: symbol names and code for reports. A file that was replaced since is not the module. */
#ifndef CLI_MODULE_FILES_H
#define CLI_MODULE_FILES_H

#include "engine/module.h"
#include "node/store.h"


struct module_files;

struct module_files *module_files_new(struct store *s);
void module_files_free(struct module_files *f);

/* NULL when the file is gone, replaced or not readable; `why` (may be NULL) then points to the reason. */
const struct module *module_files_get(struct module_files *f, const struct module_key *key, const char **why);

/* "coap_handle+0x12", or "" where there are no symbols. Returns `text`. */
const char *module_files_symbol(struct module_files *f, const struct point *at, char *text, size_t size);

#endif
