/* Code made at run time: written, called and rewritten in a mapping that is writable and executable, flipped between the two, or mapped twice. */
#include "behave.h"
#include <sys/mman.h>
#include <unistd.h>

typedef int function(int);

/* mov $n, %eax; add %edi, %eax; ret */
static void generate(unsigned char *p, int n)
{
	static const unsigned char rest[] = { 0x01, 0xf8, 0xc3 };

	p[0] = 0xb8;
	memcpy(p + 1, &n, 4);
	memcpy(p + 5, rest, sizeof rest);
}

static long both_at_once(void)
{
	unsigned char *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long sum = 0;

	for (int i = 0; i < 2000; i++) {
		unsigned char *at = p + i % 100 * 13;
		generate(at, i);
		sum += ((function *)at)(1);
	}
	munmap(p, 65536);
	return sum;
}

static long flipped(void)
{
	long sum = 0;

	for (int i = 0; i < 200; i++) {
		unsigned char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		for (int k = 0; k < 3; k++) {
			generate(p, i + k);
			mprotect(p, 4096, PROT_READ | PROT_EXEC);
			sum += ((function *)p)(k);
			mprotect(p, 4096, PROT_READ | PROT_WRITE);
		}
		munmap(p, 4096);
	}
	return sum;
}

static long mapped_twice(void)
{
	int fd = memfd_create("code", 0);
	long sum = 0;

	CHECK(fd >= 0 && ftruncate(fd, 4096) == 0);
	unsigned char *w = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), *x = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	for (int i = 0; i < 1000; i++) {
		generate(w, i);
		sum += ((function *)x)(2);
	}
	return sum;
}

int main(void)
{
	printf("%ld\n", both_at_once());
	printf("%ld\n", flipped());
	printf("%ld\n", mapped_twice());
	return passed();
}
