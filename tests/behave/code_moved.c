/* Code that moves: mappings with code in them are moved by mremap, copied, mapped at a second place, made writable and executable in turns, replaced by others at the same
 * address, shared with a child; and a page of the program's own text is replaced by an anonymous copy of itself (as for huge pages).
 * build: -O2
 * build: -O2 -no-pie -fno-pie
 * build: -O2 -static
 */
#include "behave.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };
typedef long function(long);

/* mov $n, %eax; add %rdi, %rax; ret */
static void generate(void *at, int n)
{
	unsigned char code[] = { 0xb8, 0, 0, 0, 0, 0x48, 0x01, 0xf8, 0xc3 };

	memcpy(code + 1, &n, 4);
	memcpy(at, code, sizeof code);
}

static void *map(void *at, int protection)
{
	void *p = mmap(at, PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED : 0), -1, 0);
	CHECK(p != MAP_FAILED);
	return p;
}

static void moved(void)
{
	char *at = map(NULL, PROT_READ | PROT_WRITE | PROT_EXEC), *next;

	generate(at + 16, 5);
	for (int i = 0; i < 100; i++) {
		CHECK(((function *)(at + 16))(i) == i + 5);
		char *target = map(NULL, PROT_NONE);
		next = mremap(at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target);
		CHECK(next == target);
		at = next;
	}
	CHECK(mprotect(at, PAGE, PROT_READ | PROT_EXEC) == 0 && ((function *)(at + 16))(1) == 6);
	munmap(at, PAGE);
}

static void replaced(void)
{
	char *at = map(NULL, PROT_READ);

	for (int i = 0; i < 200; i++) {
		map(at, PROT_READ | PROT_WRITE);
		generate(at, i);
		mprotect(at, PAGE, PROT_READ | PROT_EXEC);
		CHECK(((function *)at)(1000) == 1000 + i);
	}
	munmap(at, PAGE);
}

static void shared(void)
{
	int fd = memfd_create("code", 0), status;
	ftruncate(fd, PAGE);
	char *w = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), *x = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);

	for (int i = 0; i < 20; i++) {
		generate(w, i);
		CHECK(((function *)x)(1) == 1 + i);
		pid_t pid = fork();
		if (!pid) {
			generate(w, i + 100);
			_exit(((function *)x)(1) == 101 + i ? 3 : 4);
		}
		CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 3);
		CHECK(((function *)x)(1) == 101 + i);
	}
}

extern const char page_start[], page_end[];
function on_page, on_page_too;
__asm__(".text\n.p2align 12\npage_start:\n"
#define P(name) ".globl " #name "\n.type " #name ", @function\n" #name ":\n.cfi_startproc\n"
#define E(name) ".cfi_endproc\n.size " #name ", . - " #name "\n"
	P(on_page) "push %rbx\nmov %rdi, %rbx\nlea 2(%rdi), %rdi\ncall on_page_too\nadd %rbx, %rax\npop %rbx\nret\n" E(on_page)
	P(on_page_too) "cmp $100, %rdi\nja 1f\nlea (%rdi,%rdi,2), %rax\nret\n1: mov %rdi, %rax\nret\n" E(on_page_too)
	".p2align 12, 0xcc\npage_end:\n");

static void own_text(void)
{
	long sum = 0;

	for (int i = 0; i < 20; i++) {
		sum += on_page(i);
		char *copy = map(NULL, PROT_READ | PROT_WRITE);
		memcpy(copy, page_start, PAGE);
		CHECK(mprotect(copy, PAGE, PROT_READ | PROT_EXEC) == 0);
		CHECK(mremap(copy, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)page_start) == page_start);
		CHECK(on_page(i) == i + 3 * (i + 2) && on_page_too(200 + i) == 200 + i);
	}
	printf("%ld\n", sum);
}

int main(void)
{
	moved();
	replaced();
	shared();
	own_text();
	CHECK(page_end - page_start == PAGE);
	return passed();
}
