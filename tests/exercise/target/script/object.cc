// object.cc - what objects do unless their class knows better (see object.h).
#include "object.h"

#include "heap.h"

std::string Object::text() const
{
	return std::string("[") + typeName() + "]";
}

bool Object::getField(const std::string &, Value &) const
{
	return false;
}

void Object::setField(const std::string &name, const Value &)
{
	throw ScriptError(std::string("a ") + typeName() + " has no property " + name);
}

Value Object::getIndex(Interp &, const Value &)
{
	throw ScriptError(std::string("a ") + typeName() + " has no elements");
}

void Object::setIndex(const Value &, const Value &)
{
	throw ScriptError(std::string("elements of a ") + typeName() + " can't be set");
}

void Object::append(const Value &)
{
	throw ScriptError(std::string("nothing can be added to a ") + typeName());
}

const Method *Object::methods() const
{
	static const Method none[] = { { nullptr, nullptr } };

	return none;
}

void Object::trace(Heap &) const
{
}
