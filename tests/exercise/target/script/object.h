// object.h - the base of everything scripts can refer to.
#ifndef GAZETTE_OBJECT_H
#define GAZETTE_OBJECT_H

#include <string>
#include <vector>

#include "value.h"

class Heap;
class Interp;
class Args;

enum class Type : unsigned char {
	String, List, Table, Function, Time, Range, Bytes, Element, Page, Grid, Canvas, Scope
};

using NativeFn = Value (*)(Interp &vm, Value self, Args &args);

// A method every object of a class has.
struct Method {
	const char *name;
	NativeFn run;
};

class Object {
public:
	explicit Object(Type type) : type_(type) {}
	virtual ~Object() {}

	Type type() const { return type_; }
	virtual const char *typeName() const = 0;
	virtual std::string text() const;

	// Properties: what `object.name` reads and writes. Returns false if there is none.
	virtual bool getField(const std::string &name, Value &out) const;
	virtual void setField(const std::string &name, const Value &value);

	// Elements: what `object[index]` reads and writes.
	virtual Value getIndex(Interp &vm, const Value &index);
	virtual void setIndex(const Value &index, const Value &value);
	virtual void append(const Value &value);

	// The class's methods, up to one without a name.
	virtual const Method *methods() const;

	// Tell the collector about every value held.
	virtual void trace(Heap &heap) const;

private:
	friend class Heap;
	Object *next_ = nullptr;
	Type type_;
	bool marked_ = false;
};

// The object if it is of class T, else null.
template <class T> T *as(const Value &v)
{
	return v.isObject() && v.ref->type() == T::kType ? static_cast<T *>(v.ref) : nullptr;
}

// The same for a method's receiver or argument, which has to be one.
template <class T> T &need(const Value &v, const char *where)
{
	T *object = as<T>(v);

	if (object == nullptr)
		throw ScriptError(std::string(where) + " can't be used with a " + v.typeName());
	return *object;
}

#endif
