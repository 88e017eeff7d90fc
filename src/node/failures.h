/* From a guest's fault to a failure, and to what the repair engine says about it. */
#ifndef NODE_FAILURES_H
#define NODE_FAILURES_H

#include "node/supervisor.h"

/* A fault the program doesn't handle; info and context are guest addresses of its signal frame. Returns an enum guest_verdict. */
uint64_t failures_fault(struct supervisor *s, struct family *f, pid_t pid, pid_t tid, int signal, uint64_t info, uint64_t context);
/* A write that the check map forbids; context is the guest address of the trap's signal frame. Returns an enum guest_verdict. */
uint64_t failures_write(struct supervisor *s, struct family *f, pid_t pid, pid_t tid, const uint64_t arg[6]);
/* A return differs from what the shadow has noted for it; context is the guest address of the trap's signal frame. Returns an enum guest_verdict. */
uint64_t failures_return(struct supervisor *s, struct family *f, pid_t pid, pid_t tid, uint64_t context, uint64_t noted);
/* The firewall found that control has come to an address (arg[0]) that is no legitimate target; arg[1] is the guest address of the trap's signal frame. Returns
 * an enum guest_verdict. */
uint64_t failures_transfer(struct supervisor *s, struct family *f, pid_t pid, pid_t tid, const uint64_t arg[6]);
/* The heap wrapper found something wrong. */
uint64_t failures_heap(struct supervisor *s, struct family *f, pid_t pid, pid_t tid, const uint64_t arg[6]);
/* The scan did. */
void failures_heap_scanned(struct supervisor *s, struct family *f, pid_t pid, const struct guest_heap_finding *finding);

/* The watchdog has proven that a thread, stopped with the registers `now`, loops for ever. True: it shall go on with *after instead. */
struct loop_found;
bool failures_hang(struct supervisor *s, struct family *f, pid_t pid, pid_t tid, const struct cfi_registers *now, const struct loop_found *found,
		   struct cfi_registers *after);

#endif
