#include "learn/pointer.h"

static const uint64_t LOWEST_POINTER = 0x100000, LOWEST_RANDOMISED = 1ull << 32, HIGHEST_POINTER = 1ull << 47;

static bool is_mapped(const struct value_space *space, uint64_t address)
{
	size_t low = 0, high = space->mapped_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (space->mapped[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < space->mapped_count && space->mapped[low].start <= address;
}

enum value_class value_classify(const struct value_space *space, unsigned size, int64_t value)
{
	uint64_t address = value;
	if (size != 8 || !value)
		return VALUE_NUMBER;
	if (address >= space->start && address < space->end)
		return VALUE_RELATIVE;
	uint64_t lowest = space->mapped_count ? LOWEST_RANDOMISED : LOWEST_POINTER;
	bool in_range = address >= lowest && address < HIGHEST_POINTER;
	if (value >= (int64_t)HIGHEST_POINTER || value < -(int64_t)HIGHEST_POINTER)
		return VALUE_FOREIGN;
	return in_range || is_mapped(space, address) ? VALUE_FOREIGN : VALUE_NUMBER;
}

void pointer_observe(struct pointer_class *p, enum value_class kind, int64_t value)
{
	p->seen_pointer |= kind != VALUE_NUMBER;
	p->seen_number |= kind == VALUE_NUMBER && value;
}

bool pointer_is(const struct pointer_class *p)
{
	return p->seen_pointer && !p->seen_number;
}

void pointer_merge(struct pointer_class *into, const struct pointer_class *from)
{
	into->seen_pointer |= from->seen_pointer;
	into->seen_number |= from->seen_number;
}
