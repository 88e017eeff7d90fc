/* The ways into the blob. Register and stack pictures: struct probe_frame in guest_internal.h. */
#include <asm/unistd.h>

	.section .head, "ax"
	.long 2                         /* GUEST_ABI_VERSION */
	.long guest_text_end
	.long entry_signal, entry_restorer, entry_probe, entry_modules, entry_boot, entry_boot_end
	.long entry_malloc, entry_free, entry_calloc, entry_realloc, entry_memalign, entry_aligned_alloc, entry_posix_memalign, entry_valloc
	.long entry_pvalloc, entry_usable_size

	.text
	.globl entry_signal, entry_restorer, entry_probe, entry_modules
/* The kernel calls with rdi = signal, rsi = siginfo, rdx = ucontext; rsp is 8 modulo 16. */
entry_signal:
	cld
	push %rbp
	mov %rsp, %rbp
	and $-16, %rsp
	call owned_signal
	leave
	ret                             /* to entry_restorer */

entry_restorer:
	mov $__NR_rt_sigreturn, %eax
	syscall

/* A probe: lea -128(%rsp),%rsp; push $probe; call entry_probe; lea 136(%rsp),%rsp. Every register and flag survives; nothing but general
 * registers is touched. */
entry_probe:
	pushfq
	push %r15
	push %r14
	push %r13
	push %r12
	push %r11
	push %r10
	push %r9
	push %r8
	push %rdi
	push %rsi
	push %rbp
	push %rax                       /* place of rsp */
	push %rbx
	push %rdx
	push %rcx
	push %rax
	cld
	lea 280(%rsp), %rax             /* 16 registers, flags, return address, id, red zone */
	mov %rax, 32(%rsp)
	mov %rsp, %rdi
	mov %rsp, %rbx
	and $-16, %rsp
	call probe
	mov %rbx, %rsp
	pop %rax
	pop %rcx
	pop %rdx
	pop %rbx
	lea 8(%rsp), %rsp
	pop %rbp
	pop %rsi
	pop %rdi
	pop %r8
	pop %r9
	pop %r10
	pop %r11
	pop %r12
	pop %r13
	pop %r14
	pop %r15
	popfq
	ret

/* The dynamic linker calls its debugger hook, a function without arguments or result. */
entry_modules:
	push %rbp
	mov %rsp, %rbp
	and $-16, %rsp
	call modules_changed
	leave
	ret
	.section .note.GNU-stack, "", @progbits
