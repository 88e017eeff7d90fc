/* one-of: x in {c1 .. ck}, k <= ONE_OF_MAX. Joins by set union; beyond k, or with a pointer that means nothing elsewhere, it is dropped, and stays so. */
#ifndef LEARN_ONE_OF_H
#define LEARN_ONE_OF_H

#include "learn/pointer.h"

#include <clearview/invariant.h>

struct one_of {
	bool dropped;
	uint8_t count;
	uint8_t relative;          /* bit i: value[i] is an offset in the variable's module */
	int64_t value[ONE_OF_MAX]; /* ascending by value, plain before relative */
};

/* All observe functions return whether the hypothesis changed. bias: of the variable's module, where kind is VALUE_RELATIVE. */
bool one_of_observe(struct one_of *o, enum value_class kind, int64_t value, uint64_t bias);
bool one_of_violates(const struct one_of *o, enum value_class kind, int64_t value, uint64_t bias);
void one_of_merge(struct one_of *into, const struct one_of *from);

/* For SLOT_RETURN: values a procedure has returned, to be returned again by a repair. Pointers that mean nothing elsewhere are passed over, and beyond
 * k those are kept that look most like "it failed": negative ones, nearest 0 first, then 0, then positive ones, smallest first (32-bit negative
 * ones included). The first k of a total order join by union as well. */
void one_of_keep(struct one_of *o, enum value_class kind, int64_t value, uint64_t bias);
void one_of_keep_merge(struct one_of *into, const struct one_of *from);

/* False: there is no such invariant. Fills kind, count, value, relative. */
bool one_of_invariant(const struct one_of *o, struct invariant *out);

#endif
