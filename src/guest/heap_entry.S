/* The ways in of free and realloc. The check comes first, with the stack as the caller left it; what it finds is told with all the caller's registers, for the
 * caller may be returned from.
 *
 *     struct guest_heap_finding on the stack:  0 r[16]  128 rip  136 kind, block, size, usable, address, site  184 (pad)  200 return address */
	.text

	.set ORIGINAL_FREE, guest_tables + 0x3120   /* original[ENTRY_FREE - ENTRY_MALLOC]: heap.c asserts it */

/* intact: where to go on when nothing was found; onward: when something was, and the program goes on regardless. */
	.macro release name, state, intact, onward
	.globl entry_\name
entry_\name:
	push %rsi
	push %rdi
	sub $8, %rsp
	mov $\state, %esi
	mov 24(%rsp), %rdx              /* the caller */
	call heap_release
	.globl \name\()_checked       /* around.c */
\name\()_checked:
	add $8, %rsp
	pop %rdi
	pop %rsi
	test %eax, %eax
	jnz 1f
	jmp \intact
1:	cmp $1, %eax                    /* done */
	je 3f
	sub $200, %rsp
	mov %rcx, 8(%rsp)
	mov %rdx, 16(%rsp)
	mov %rbx, 24(%rsp)
	lea 208(%rsp), %rcx
	mov %rcx, 32(%rsp)
	mov %rbp, 40(%rsp)
	mov %rsi, 48(%rsp)
	mov %rdi, 56(%rsp)
	mov %r8, 64(%rsp)
	mov %r9, 72(%rsp)
	mov %r10, 80(%rsp)
	mov %r11, 88(%rsp)
	mov %r12, 96(%rsp)
	mov %r13, 104(%rsp)
	mov %r14, 112(%rsp)
	mov %r15, 120(%rsp)
	mov 200(%rsp), %rcx
	mov %rcx, 128(%rsp)
	mov %rsp, %rdi
	mov %eax, %esi
	call heap_found
	test %al, %al
	jnz go_on
	mov 48(%rsp), %rsi
	mov 56(%rsp), %rdi
	add $200, %rsp
	jmp \onward
3:	ret
	.endm

	release free, 2, *ORIGINAL_FREE(%rip), heap_free_on   /* HEAP_FREED */
	release realloc, 3, heap_realloc, heap_realloc        /* HEAP_MOVING */

/* Loads all registers from the finding; the new stack's top is never below the return address of this call. */
go_on:
	mov 32(%rsp), %rax
	mov 128(%rsp), %rcx
	sub $8, %rax
	mov %rcx, (%rax)
	mov %rax, 32(%rsp)
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
	mov (%rsp), %rax
	mov 32(%rsp), %rsp
	ret
