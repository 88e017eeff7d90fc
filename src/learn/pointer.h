/* Values and pointers. A variable whose values all look like pointers gets no lower-bound and no less-than invariant (paper section 2.2.2), and a
 * pointer means something on another machine, or in the next run, only as an offset in its own module.
 *
 * The paper's rule for 32 bits (0, or outside of +-100,000) becomes, for variables of 8 bytes: a value looks like a pointer if it
 *  - lies in a range that is mapped in the process, where the caller gives such ranges, or
 *  - is at least 2^32 and below 2^47 (position-independent programs, libraries, their heaps and stacks lie there), or
 *  - where no ranges are given, is at least 0x100000 and below 2^47.
 * Values beyond 47 bits are noise (stack protector canaries, mangled pointers, hashes, seeds): they mean nothing in another run, like foreign pointers.
 * Zero fits pointers and numbers. A variable is a pointer if it had a value that looks like one and none, but zeros, that does not. */
#ifndef LEARN_POINTER_H
#define LEARN_POINTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct address_range {
	uint64_t start, end; /* end is exclusive */
};

/* The address space a record comes from, for one module. */
struct value_space {
	uint64_t bias;       /* the module's load bias */
	uint64_t start, end; /* where it is mapped; 0, 0: not known */
	const struct address_range *mapped; /* ascending, disjoint */
	size_t mapped_count; /* 0: not known */
};

enum value_class {
	VALUE_NUMBER,   /* means the same everywhere; 0 too */
	VALUE_RELATIVE, /* a pointer into the variable's own module */
	VALUE_FOREIGN,  /* another pointer: heap, stack, other modules */
};

enum value_class value_classify(const struct value_space *space, unsigned size, int64_t value);

/* Which kinds of values a variable has had; joins by or. */
struct pointer_class {
	bool seen_pointer, seen_number; /* seen_number: other than 0 */
};

void pointer_observe(struct pointer_class *p, enum value_class kind, int64_t value);
bool pointer_is(const struct pointer_class *p);
void pointer_merge(struct pointer_class *into, const struct pointer_class *from);

#endif
