/* Reads and writes of the program's memory that may fault: entry to the access is a known address, and the fault handler goes on at its fix-up. */
#include "guest/guest_internal.h"

extern const uint8_t access_read8[], access_read4[], access_read2[], access_read1[], access_write8[], access_write4[], access_write2[],
	access_write1[], access_failed[];

/* bool access(address in rdi, value in rsi -> rax); the label names the one instruction that may fault. */
__asm__(".text\n.globl do_read8\n"
	"do_read8: access_read8: mov (%rdi), %rax; jmp access_done\n"
	"do_read4: access_read4: movslq (%rdi), %rax; jmp access_done\n"
	"do_read2: access_read2: movswq (%rdi), %rax; jmp access_done\n"
	"do_read1: access_read1: movsbq (%rdi), %rax; jmp access_done\n"
	"do_write8: access_write8: mov %rsi, (%rdi); jmp access_done\n"
	"do_write4: access_write4: mov %esi, (%rdi); jmp access_done\n"
	"do_write2: access_write2: mov %si, (%rdi); jmp access_done\n"
	"do_write1: access_write1: mov %sil, (%rdi); jmp access_done\n"
	"access_done: mov $1, %edx; ret\n"
	"access_failed: xor %eax, %eax; xor %edx, %edx; ret\n");

struct access do_read4(uint64_t), do_read2(uint64_t), do_read1(uint64_t);
struct access do_write8(uint64_t, uint64_t), do_write4(uint64_t, uint64_t), do_write2(uint64_t, uint64_t), do_write1(uint64_t, uint64_t);

bool read_word(uint64_t address, unsigned size, uint64_t *value)
{
	struct access a = size == 8 ? do_read8(address) : size == 4 ? do_read4(address) : size == 2 ? do_read2(address) : do_read1(address);
	*value = a.value;
	return a.ok;
}

bool write_word(uint64_t address, unsigned size, uint64_t value)
{
	struct access a = size == 8 ? do_write8(address, value) :
			  size == 4 ? do_write4(address, value) :
			  size == 2 ? do_write2(address, value) :
				      do_write1(address, value);
	return a.ok;
}

bool fix_memory_fault(struct context *c)
{
	const uint8_t *at = (const uint8_t *)c->rip;
	if (at < access_read8 || at > access_write1)
		return false;
	c->rip = (uint64_t)access_failed;
	return true;
}
