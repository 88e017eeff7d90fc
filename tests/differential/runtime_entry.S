/* The ways between the frame and the cases. Nothing here is on the cases' stack but what they push themselves. */
#include <asm/unistd.h>
	.text
	.globl _start, enter_case, fuzz_leave, fuzz_checkpoint, restorer, system_call

	.set R, 0                       /* struct state */
	.set FLAGS, 128
	.set RIP, 136
	.set XSAVE, 192

_start:	.cfi_startproc
	.cfi_undefined rip
	mov %rsp, %rdi
	and $-16, %rsp
	call runtime_start
	.cfi_endproc

/* system_call(number, a, b, c, d) */
system_call: .cfi_startproc
	mov %rdi, %rax
	mov %rsi, %rdi
	mov %rdx, %rsi
	mov %rcx, %rdx
	mov %r8, %r10
	syscall
	ret
	.cfi_endproc

restorer: .cfi_startproc
	mov $__NR_rt_sigreturn, %eax
	syscall
	.cfi_endproc

enter_case: .cfi_startproc
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, host_stack(%rip)
	mov %rdi, target(%rip)
	lea fuzz_data+1536(%rip), %rax
	wrfsbase %rax
	lea fuzz_data+2560(%rip), %rax
	wrgsbase %rax
	lea initial+XSAVE(%rip), %rbx
	mov xsave_mask(%rip), %eax
	xor %edx, %edx
	xrstor64 (%rbx)
	push initial+FLAGS(%rip)
	popf
	mov initial+R+0(%rip), %rax
	mov initial+R+8(%rip), %rcx
	mov initial+R+16(%rip), %rdx
	mov initial+R+24(%rip), %rbx
	mov initial+R+32(%rip), %rsp
	mov initial+R+40(%rip), %rbp
	mov initial+R+48(%rip), %rsi
	mov initial+R+56(%rip), %rdi
	mov initial+R+64(%rip), %r8
	mov initial+R+72(%rip), %r9
	mov initial+R+80(%rip), %r10
	mov initial+R+88(%rip), %r11
	mov initial+R+96(%rip), %r12
	mov initial+R+104(%rip), %r13
	mov initial+R+112(%rip), %r14
	mov initial+R+120(%rip), %r15
	jmp *target(%rip)
	.cfi_endproc

	.macro SAVE
	mov %rax, seen+R+0(%rip)
	mov %rcx, seen+R+8(%rip)
	mov %rdx, seen+R+16(%rip)
	mov %rbx, seen+R+24(%rip)
	mov %rbp, seen+R+40(%rip)
	mov %rsi, seen+R+48(%rip)
	mov %rdi, seen+R+56(%rip)
	mov %r8, seen+R+64(%rip)
	mov %r9, seen+R+72(%rip)
	mov %r10, seen+R+80(%rip)
	mov %r11, seen+R+88(%rip)
	mov %r12, seen+R+96(%rip)
	mov %r13, seen+R+104(%rip)
	mov %r14, seen+R+112(%rip)
	mov %r15, seen+R+120(%rip)
	mov host_stack(%rip), %rsp
	pushf
	pop seen+FLAGS(%rip)
	cld
	lea seen+XSAVE(%rip), %rbx
	mov xsave_mask(%rip), %eax
	xor %edx, %edx
	xsave64 (%rbx)
	.endm

/* A case is over: jmp *. */
fuzz_leave: .cfi_startproc
	mov %rsp, seen+R+32(%rip)
	movq $0, seen+RIP(%rip)
	SAVE
	push $0x202                     /* alignment isn't checked here */
	popf
	mov $3, %edi                    /* RECORD_END */
	call record_seen
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret
	.cfi_endproc

/* Called by a case: records everything, changes nothing but the word that the call pushes. */
fuzz_checkpoint: .cfi_startproc
	pop seen+RIP(%rip)
	mov %rsp, seen+R+32(%rip)
	SAVE
	mov $1, %edi                    /* RECORD_CHECKPOINT */
	call record_seen
	push seen+FLAGS(%rip)
	popf
	mov seen+R+0(%rip), %rax
	mov seen+R+8(%rip), %rcx
	mov seen+R+16(%rip), %rdx
	mov seen+R+24(%rip), %rbx
	mov seen+R+32(%rip), %rsp
	mov seen+R+40(%rip), %rbp
	mov seen+R+48(%rip), %rsi
	mov seen+R+56(%rip), %rdi
	mov seen+R+64(%rip), %r8
	mov seen+R+72(%rip), %r9
	mov seen+R+80(%rip), %r10
	mov seen+R+88(%rip), %r11
	mov seen+R+96(%rip), %r12
	mov seen+R+104(%rip), %r13
	mov seen+R+112(%rip), %r14
	mov seen+R+120(%rip), %r15
	jmp *seen+RIP(%rip)
	.cfi_endproc

	.bss
	.balign 8
target:	.quad 0
	.section .note.GNU-stack, "", @progbits
