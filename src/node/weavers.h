/* What is woven into a family's modules, by whom. */
#ifndef NODE_WEAVERS_H
#define NODE_WEAVERS_H

#include "node/family.h"

void weavers_family_started(struct family *f);
/* A module turned up: wishes for it are stated here; family_apply follows. */
void weavers_module_loaded(struct family *f, struct loaded *l);
/* Every procedure, if the options say so. */
void weavers_redirect_all(struct family *f, struct loaded *l);
/* Module offset of the debugger hook of a dynamic linker, which stays native; 0: it is none. */
uint64_t weavers_loader_hook(const struct loaded *l);
/* All modules of a look have turned up. */
void weavers_modules_known(struct family *f);
void weavers_module_unloaded(struct family *f, struct loaded *l);
void weavers_family_ended(struct family *f);
/* Copies are in place: probes may be enabled. */
void weavers_applied(struct family *f);

/* System calls that ClearView must know of: signal actions and masks, fork, exec. (weave_syscalls.c) */
void weave_syscalls(struct family *f, struct loaded *l);
/* The program has a signalfd for signals that are held. */
void weave_signal_descriptors(struct family *f);

#endif
