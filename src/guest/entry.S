/* The ways into the blob. Register and stack pictures: struct probe_frame in guest_internal.h. */
#include <asm/unistd.h>

	.section .head, "ax"
	.long 23                        /* GUEST_ABI_VERSION */
	.long guest_text_end
	.long entry_signal, entry_restorer, entry_probe, entry_modules, entry_boot, entry_boot_end
	.long entry_malloc, entry_free, entry_calloc, entry_realloc, entry_memalign, entry_aligned_alloc, entry_posix_memalign, entry_valloc
	.long entry_pvalloc, entry_usable_size
	.long entry_handler
	.long 0, 0, 0                   /* as many as ENTRY_COUNT */

	.text
	.globl entry_signal, entry_handler, entry_restorer, entry_probe, entry_modules
	.globl handler_entered, probe_marked, probe_aligned, probe_returned /* around.c */
	.globl probe_saved, probe_exit, probe_exit_flags, probe_exit_return, probe_exit_end
/* The kernel calls with rdi = signal, rsi = siginfo, rdx = ucontext; rsp is 8 modulo 16. */
entry_signal:
	cld
	pushfq
	btrq $18, (%rsp)                /* AC: the blob's accesses needn't be aligned */
	popfq
	push %rbp
	mov %rsp, %rbp
	and $-16, %rsp
	call owned_signal
	leave
	ret                             /* to entry_restorer */

/* In front of the program's handlers of other signals; same picture. The handler returns to its own restorer. */
entry_handler:
	cld
	push %rdi
	push %rsi
	push %rdx
	push %rbp
	mov %rsp, %rbp
	and $-16, %rsp
	call enter_handler
handler_entered:
	leave
	pop %rdx
	pop %rsi
	pop %rdi
	mov %rax, %r11
	xor %eax, %eax
	cmp $1, %r11
	jbe 1f                          /* SIG_DFL, SIG_IGN: set meanwhile */
	jmp *%r11
1:	ret

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
probe_saved:                            /* interrupted.c knows the pushes */
	cld
	lea 280(%rsp), %rax             /* 16 registers, flags, return address, id, red zone */
	mov %rax, 32(%rsp)
probe_marked:
	mov %rsp, %rdi
	mov %rsp, %rbx
probe_aligned:
	and $-16, %rsp
	call probe                      /* true: set the signal mask in `id`, as the last thing */
probe_returned:
	mov %rbx, %rsp
	test %al, %al
	jz probe_exit
	mov $__NR_rt_sigprocmask, %eax
	mov $2, %edi                    /* SIG_SETMASK */
	lea 144(%rsp), %rsi
	xor %edx, %edx
	mov $8, %r10d
	syscall
probe_exit:                             /* a handler that interrupts here is shown where the program goes on: handler.c */
	mov 0(%rsp), %rax
	mov 8(%rsp), %rcx
	mov 16(%rsp), %rdx
	mov 24(%rsp), %rbx
	mov 40(%rsp), %rbp
	mov 48(%rsp), %rsi
	mov 56(%rsp), %rdi
	mov 64(%rsp), %r8
	mov 72(%rsp), %r9
	mov 80(%rsp), %r10
	mov 88(%rsp), %r11
	mov 96(%rsp), %r12
	mov 104(%rsp), %r13
	mov 112(%rsp), %r14
	mov 120(%rsp), %r15
	lea 128(%rsp), %rsp
probe_exit_flags:
	popfq
probe_exit_return:
	ret
probe_exit_end:

/* The dynamic linker calls its debugger hook, a function without arguments or result. */
entry_modules:
	push %rbp
	mov %rsp, %rbp
	and $-16, %rsp
	call modules_changed
	leave
	ret
	.section .note.GNU-stack, "", @progbits
