/* less-than: x <= y (signed), for an earlier and a later variable, in both directions. Joins by logical and: a direction that was once violated stays
 * dropped. */
#ifndef LEARN_LESS_THAN_H
#define LEARN_LESS_THAN_H

#include <clearview/invariant.h>
#include <stdbool.h>

enum { LESS_UP = 1, LESS_DOWN = 2, LESS_BOTH = 3 }; /* up: earlier <= later; down: later <= earlier */

struct less_than {
	uint8_t dropped; /* directions */
};

bool less_than_observe(struct less_than *l, int64_t earlier, int64_t later);
/* The directions that hold as far as was seen and don't for these values. */
uint8_t less_than_violates(const struct less_than *l, int64_t earlier, int64_t later);
void less_than_merge(struct less_than *into, const struct less_than *from);
/* Fills all but procedure, id and samples. False: that direction is dropped. */
bool less_than_invariant(const struct less_than *l, uint8_t direction, const struct variable *earlier, const struct variable *later, struct invariant *out);

#endif
