/* What can't be allocated is refused as ever: NULL, ENOMEM, and the old block stays as it was. errno survives free. */
#include "behave.h"

#include <malloc.h>

static volatile size_t huge = PTRDIFF_MAX, half = (size_t)1 << 33;

int main(void)
{
	void *out = &out;
	errno = 0;
	CHECK(!malloc(huge) && errno == ENOMEM);
	errno = 0;
	CHECK(!malloc(huge - 3) && errno == ENOMEM);
	errno = 0;
	CHECK(!calloc(half, half) && errno == ENOMEM);
	errno = 0;
	CHECK(!memalign(64, huge) && errno == ENOMEM);
	CHECK(posix_memalign(&out, 64, huge) == ENOMEM && posix_memalign(&out, 3, 10) == EINVAL && out == &out);
	char *p = strdup("as it was");
	errno = 0;
	CHECK(!realloc(p, huge) && errno == ENOMEM && !strcmp(p, "as it was"));
	p = realloc(p, 100);
	CHECK(!strcmp(p, "as it was"));
	errno = 77;
	free(p);
	free(NULL);
	CHECK(errno == 77 && !malloc_usable_size(NULL));
	CHECK((p = malloc(0)) && (p = realloc(p, 30)));
	free(p);
	p = realloc(NULL, 50);
	strcpy(p, "from nothing");
	puts(p);
	free(p);
	return passed();
}
