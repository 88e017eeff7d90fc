/* System calls without libc. */
#ifndef GUEST_SYSCALL_H
#define GUEST_SYSCALL_H

#include <asm/unistd.h>
#include <stddef.h>
#include <stdint.h>

static inline long system_call_here(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;
	register uint64_t r9 __asm__("r9") = f;
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return result;
}

/* calls.c: the blob's own, which the program's filters let through; -EPERM in a thread that may make none. boot.c runs elsewhere and has none of this. */
long system_call(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
#ifndef SYSTEM_CALL
#define SYSTEM_CALL system_call
#endif

#define SYS0(n) SYSTEM_CALL(n, 0, 0, 0, 0, 0, 0)
#define SYS1(n, a) SYSTEM_CALL(n, (uint64_t)(a), 0, 0, 0, 0, 0)
#define SYS2(n, a, b) SYSTEM_CALL(n, (uint64_t)(a), (uint64_t)(b), 0, 0, 0, 0)
#define SYS3(n, a, b, c) SYSTEM_CALL(n, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), 0, 0, 0)
#define SYS4(n, a, b, c, d) SYSTEM_CALL(n, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), 0, 0)
#define SYS6(n, a, b, c, d, e, f) SYSTEM_CALL(n, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), (uint64_t)(e), (uint64_t)(f))

#endif
