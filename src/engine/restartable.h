/* Restartable sequences (rseq): stretches of code that the kernel makes begin again when a thread is interrupted in them, which it knows by their addresses. A copy
 * at other addresses would go on where it should begin again; so procedures with such code stay native. Known by the descriptors (struct rseq_cs) in the section
 * that the compiler's users put them in, "__rseq_cs": librseq, tcmalloc. */
#ifndef ENGINE_RESTARTABLE_H
#define ENGINE_RESTARTABLE_H

#include "engine/module.h"

/* The sequences of a module, and the instructions they are aborted to; ranges that may overlap, the caller's to free. Returns how many. */
size_t restartable_find(const struct module *m, struct range **out);

/* Does one of the ranges have such code? Finds the module's sequences at the first question. */
bool restartable_in(struct module *m, const struct range *ranges, size_t count);

#endif
