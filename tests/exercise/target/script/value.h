// value.h - what a script variable holds: nothing, a truth value, a number or a reference to an object.
#ifndef GAZETTE_VALUE_H
#define GAZETTE_VALUE_H

#include <stdexcept>
#include <string>
#include <vector>

class Object;

struct Value {
	enum Kind : unsigned char { Nil, Bool, Number, Ref };

	Kind kind;
	union {
		bool truth;
		double number;
		Object *ref;
	};

	Value() : kind(Nil), number(0) {}
	Value(bool b) : kind(Bool), number(0) { truth = b; }
	Value(double n) : kind(Number), number(n) {}
	Value(int n) : kind(Number), number(n) {}
	Value(Object *o) : kind(Ref), ref(o) {}

	bool isNil() const { return kind == Nil; }
	bool isNumber() const { return kind == Number; }
	bool isObject() const { return kind == Ref; }

	bool truthy() const;
	bool same(const Value &other) const;
	std::string text() const;
	const char *typeName() const;
};

// What goes wrong in a script: a message for the page's author.
class ScriptError : public std::runtime_error {
public:
	explicit ScriptError(const std::string &what) : std::runtime_error(what) {}
};

// Numbers as scripts print them: whole ones without a point.
std::string numberText(double n);

// The nearest int; scripts may compute anything.
int toInt(double n);

#endif
