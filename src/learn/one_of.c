#include "learn/one_of.h"

static void drop(struct one_of *o)
{
	*o = (struct one_of){.dropped = true};
}

static bool is_relative(const struct one_of *o, unsigned i)
{
	return o->relative >> i & 1;
}

/* The value's place: the first element that does not come before it. */
static unsigned place(const struct one_of *o, int64_t value, bool relative)
{
	unsigned i = 0;
	while (i < o->count && (o->value[i] < value || (o->value[i] == value && is_relative(o, i) < relative)))
		i++;
	return i;
}

static bool is_at(const struct one_of *o, unsigned i, int64_t value, bool relative)
{
	return i < o->count && o->value[i] == value && is_relative(o, i) == relative;
}

static bool insert(struct one_of *o, int64_t value, bool relative)
{
	unsigned at = place(o, value, relative);
	if (o->dropped || is_at(o, at, value, relative))
		return false;
	if (o->count == ONE_OF_MAX) {
		drop(o);
		return true;
	}
	for (unsigned i = o->count; i > at; i--)
		o->value[i] = o->value[i - 1];
	unsigned below = o->relative & ((1u << at) - 1);
	o->relative = below | (o->relative & ~((1u << at) - 1)) << 1 | (unsigned)relative << at;
	o->value[at] = value;
	o->count++;
	return true;
}

static int64_t portable(enum value_class kind, int64_t value, uint64_t bias)
{
	return kind == VALUE_RELATIVE ? (uint64_t)value - bias : (uint64_t)value;
}

bool one_of_observe(struct one_of *o, enum value_class kind, int64_t value, uint64_t bias)
{
	if (o->dropped)
		return false;
	if (kind == VALUE_FOREIGN) {
		drop(o);
		return true;
	}
	return insert(o, portable(kind, value, bias), kind == VALUE_RELATIVE);
}

bool one_of_violates(const struct one_of *o, enum value_class kind, int64_t value, uint64_t bias)
{
	bool relative = kind == VALUE_RELATIVE;
	int64_t v = portable(kind, value, bias);
	return !o->dropped && (kind == VALUE_FOREIGN || !is_at(o, place(o, v, relative), v, relative));
}

void one_of_merge(struct one_of *into, const struct one_of *from)
{
	if (from->dropped)
		drop(into);
	for (unsigned i = 0; i < from->count; i++)
		insert(into, from->value[i], is_relative(from, i));
}

/* Place in the order of failure: lower comes first. A 32-bit result leaves the upper half of rax zero. */
static uint64_t failure_rank(int64_t value, bool relative)
{
	int64_t v = value >= INT32_MAX + 1ll && value <= UINT32_MAX ? (int32_t)value : value;
	const uint64_t zero = 1ull << 63;
	return relative ? UINT64_MAX : v < 0 ? -(uint64_t)v - 1 : zero + (uint64_t)v;
}

static unsigned least_telling(const struct one_of *o)
{
	unsigned worst = 0;
	for (unsigned i = 1; i < o->count; i++) {
		uint64_t a = failure_rank(o->value[i], is_relative(o, i)), b = failure_rank(o->value[worst], is_relative(o, worst));
		if (a > b || (a == b && o->value[i] > o->value[worst]))
			worst = i;
	}
	return worst;
}

static void take_out(struct one_of *o, unsigned at)
{
	unsigned below = o->relative & ((1u << at) - 1);
	o->relative = below | (o->relative >> (at + 1)) << at;
	for (unsigned i = at + 1; i < o->count; i++)
		o->value[i - 1] = o->value[i];
	o->value[--o->count] = 0;
}

static void keep(struct one_of *o, int64_t value, bool relative)
{
	unsigned worst = least_telling(o);
	if (is_at(o, place(o, value, relative), value, relative))
		return;
	if (o->count == ONE_OF_MAX) {
		uint64_t new = failure_rank(value, relative), old = failure_rank(o->value[worst], is_relative(o, worst));
		if (new > old || (new == old && value > o->value[worst]))
			return;
		take_out(o, worst);
	}
	insert(o, value, relative);
}

void one_of_keep(struct one_of *o, enum value_class kind, int64_t value, uint64_t bias)
{
	if (kind != VALUE_FOREIGN)
		keep(o, portable(kind, value, bias), kind == VALUE_RELATIVE);
}

void one_of_keep_merge(struct one_of *into, const struct one_of *from)
{
	for (unsigned i = 0; i < from->count; i++)
		keep(into, from->value[i], is_relative(from, i));
}

bool one_of_invariant(const struct one_of *o, struct invariant *out)
{
	if (o->dropped || !o->count)
		return false;
	out->kind = INVARIANT_ONE_OF;
	out->count = o->count;
	out->relative = o->relative;
	for (unsigned i = 0; i < o->count; i++)
		out->value[i] = o->value[i];
	return true;
}
