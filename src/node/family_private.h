/* What family.c and attach.c share. */
#ifndef NODE_FAMILY_PRIVATE_H
#define NODE_FAMILY_PRIVATE_H

#include "node/family.h"

/* A family around a process: places chosen, memory made, tables begun; the process is untouched. *loader: text of the dynamic loader or of another library;
 * 0: none. On failure *why has the reason. */
int family_prepare(struct supervisor *s, pid_t pid, const struct maps *maps, struct family **out, uint64_t *loader, const char **why)
	__attribute__((warn_unused_result));
/* The image's modules as a process has them mapped; states the wishes for new ones. False when the process has gone. */
bool family_note_mappings(struct family *f, pid_t pid);
/* From now on the dynamic linker tells when it has mapped libraries. */
void family_hook_loaders(struct family *f);

#endif
