/* The check map of the heap (clearview/guest.h). */
#ifndef GUEST_HEAP_CHECK_H
#define GUEST_HEAP_CHECK_H

#include "guest/guest_internal.h"

/* A block of `size` bytes at p, usable bytes with all that the heap monitor writes behind it. */
void check_block_live(uint64_t p, uint64_t size, uint64_t usable);
/* It was freed. goes: its memory goes back to the kernel. */
void check_block_freed(uint64_t p, uint64_t usable, bool goes);
/* Makes what the program will look at first: for its heap, stack and modules. */
void check_prepare(uint64_t heap_end, uint64_t ahead);
/* Everybody's from now on. */
void check_forget(uint64_t start, uint64_t size);

/* Woven code looked where no map is yet, or where none can be: goes on. */
bool check_fault(int signal, const struct guest_siginfo *info, struct context *c);
/* The trap of woven code at a write that the map forbids, as described behind the trap; the context is at the instruction. */
void check_write(const struct strict_write *w, const struct guest_siginfo *info, struct context *c);

#endif
