/* The blob's bytes inside the supervisor. */
	.section .rodata
	.globl blob_start, blob_end
	.balign 16
blob_start:
	.incbin BLOB
blob_end:
	.section .note.GNU-stack, "", @progbits
