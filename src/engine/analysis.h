/* What was found out about a module, kept in a file for the next supervisor: procedure ranges, address-taken constants, system call sites, targets of
 * transfers and symbols that were asked for, and the procedures that were redirected, decoded.
 *
 * A file is named by the module's key, size and time of change, and belongs to the build of ClearView that wrote it, which alone can read it. It
 * carries a checksum; one that is damaged, foreign or writable by others is as good as none. Files are replaced as a whole, so any number of
 * supervisors may read and write them at once. */
#ifndef ENGINE_ANALYSIS_H
#define ENGINE_ANALYSIS_H

#include "engine/module.h"

/* Fills in a module whose headers have been read. folder: descriptor of the folder. 0, or -errno: nothing was filled in. */
int analysis_load(struct module *m, int folder) __attribute__((warn_unused_result));
/* Writes what is known now, if that is more than was loaded. The folder is kept small: the oldest files go. 0 or -errno. */
int analysis_save(struct module *m, int folder);
/* The bytes are part of the file the module was filled in from, and go with the module. */
bool analysis_owns(const struct module *m, const void *bytes);

#endif
