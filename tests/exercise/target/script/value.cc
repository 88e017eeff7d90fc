// value.cc - operations common to all values (see value.h).
#include "value.h"

#include <climits>
#include <cmath>
#include <cstdio>

#include "objects.h"

bool Value::truthy() const
{
	switch (kind) {
	case Nil: return false;
	case Bool: return truth;
	case Number: return number != 0;
	default: return true;
	}
}

bool Value::same(const Value &other) const
{
	if (kind != other.kind)
		return false;
	switch (kind) {
	case Nil: return true;
	case Bool: return truth == other.truth;
	case Number: return number == other.number;
	default: break;
	}
	const String *a = as<String>(*this), *b = as<String>(other);
	return a && b ? a->chars == b->chars : ref == other.ref;
}

std::string Value::text() const
{
	switch (kind) {
	case Nil: return "nil";
	case Bool: return truth ? "true" : "false";
	case Number: return numberText(number);
	default: return ref->text();
	}
}

const char *Value::typeName() const
{
	switch (kind) {
	case Nil: return "nil";
	case Bool: return "bool";
	case Number: return "number";
	default: return ref->typeName();
	}
}

std::string numberText(double n)
{
	char text[40];

	if (n == std::floor(n) && std::fabs(n) < 1e15)
		snprintf(text, sizeof text, "%.0f", n == 0 ? 0.0 : n);
	else
		snprintf(text, sizeof text, "%.10g", n);
	return text;
}

int toInt(double n)
{
	if (!(n > INT_MIN))
		return n != n ? 0 : INT_MIN;
	return n < INT_MAX ? static_cast<int>(n) : INT_MAX;
}
