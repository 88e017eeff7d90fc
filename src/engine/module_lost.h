/* Files that somebody cuts short while they are mapped: reading what is gone raises SIGBUS, and would end the supervisor. Zeros are put in place, and the module
 * counts as lost: nothing more is decoded or copied from it, and what was being made of it when that came out is dropped. */
#ifndef ENGINE_MODULE_LOST_H
#define ENGINE_MODULE_LOST_H

struct module;

/* The module's file has been mapped; is about to be unmapped. */
void module_guard(struct module *m);
void module_unguard(struct module *m);

#endif
