/* A folder of files that are only ever replaced as a whole, of bounded number and size. Errors: -errno. */
#ifndef ENGINE_ANALYSIS_FOLDER_H
#define ENGINE_ANALYSIS_FOLDER_H

#include <stddef.h>
#include <sys/stat.h>

/* Opens (makes) it; a descriptor. -EPERM: others may write there. */
int analysis_folder(const char *path);
/* A file of it, for reading; -EPERM as above. */
int analysis_folder_open(int folder, const char *name, struct stat *st);
/* Writes or replaces a file; the longest unchanged ones go if there are too many, or they have more than `limit` bytes together. */
int analysis_folder_put(int folder, const char *name, const void *bytes, size_t size, size_t limit);

#endif
