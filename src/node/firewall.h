/* The strict monitor "firewall". The text itself enforces it: with everything redirected, only springboards can be landed on; all else traps (clearview/guest.h:
 * GUEST_MAP_APPROVED). What traps is judged here, once. */
#ifndef NODE_FIREWALL_H
#define NODE_FIREWALL_H

#include "node/family.h"

/* Before anything is woven, or has run: threads that are on their way in native text when a process is attached to have nothing to go by. */
void firewall_begin(struct family *f);
/* Is the program (its path) declared to make code at run time? */
bool firewall_may_make_code(const struct guard_options *o, const char *program);
/* Control has come to a text address (a guest's word, as is the address of its signal frame). Returns an enum guest_transfer or the guest address to go on at. */
uint64_t firewall_judge(struct family *f, pid_t pid, uint64_t address, uint64_t context);
/* A signal frame says that control will come to the address, in the process's own text. */
void firewall_approve(struct family *f, uint64_t address);
/* The program is about to make memory executable: args of EVENT_EXECUTABLE. Returns an enum guest_executable. */
uint64_t firewall_executable(struct family *f, pid_t pid, const uint64_t arg[6]);

#endif
