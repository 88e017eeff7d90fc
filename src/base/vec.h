/* Growing arrays: VEC(struct insn) insns; vec_push(&insns, x). Memory exhaustion ends the process: nothing here can go on without it,
 * and a supervisor's death leaves its guests running. */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <stdlib.h>
#include <string.h>

#define VEC(...) struct VEC_OF(__VA_ARGS__)
/* With a name: struct list VEC_OF(struct insn); */
#define VEC_OF(...) { __VA_ARGS__ *at; size_t count, capacity; }

static inline void *vec_grow(void *at, size_t *capacity, size_t size)
{
	*capacity = *capacity ? *capacity * 2 : 16;
	at = realloc(at, *capacity * size);
	if (!at)
		abort();
	return at;
}

#define vec_push(v, ...) \
	do { \
		if ((v)->count == (v)->capacity) \
			(v)->at = vec_grow((v)->at, &(v)->capacity, sizeof *(v)->at); \
		(v)->at[(v)->count++] = (__VA_ARGS__); \
	} while (0)

#define vec_free(v) (free((v)->at), (void)((v)->at = NULL, (v)->count = (v)->capacity = 0))

#endif
