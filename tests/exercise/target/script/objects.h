// objects.h - the script language's own classes.
#ifndef GAZETTE_OBJECTS_H
#define GAZETTE_OBJECTS_H

#include <map>

#include "object.h"

class String : public Object {
public:
	static const Type kType = Type::String;
	explicit String(const std::string &s) : Object(kType), chars(s) {}
	const char *typeName() const override { return "string"; }
	std::string text() const override { return chars; }
	Value getIndex(Interp &vm, const Value &index) override;
	const Method *methods() const override;

	std::string chars;
};

class List : public Object {
public:
	static const Type kType = Type::List;
	List() : Object(kType) {}
	const char *typeName() const override { return "list"; }
	std::string text() const override;
	bool getField(const std::string &name, Value &out) const override;
	Value getIndex(Interp &vm, const Value &index) override;
	void setIndex(const Value &index, const Value &value) override;
	void append(const Value &value) override;
	const Method *methods() const override;
	void trace(Heap &heap) const override;

	// Where an index points; negative ones count from the end. Throws if it is nowhere.
	size_t place(const Value &index) const;

	std::vector<Value> items;
};

class Table : public Object {
public:
	static const Type kType = Type::Table;
	Table() : Object(kType) {}
	const char *typeName() const override { return "table"; }
	std::string text() const override;
	bool getField(const std::string &name, Value &out) const override;
	void setField(const std::string &name, const Value &value) override;
	Value getIndex(Interp &vm, const Value &index) override;
	void setIndex(const Value &index, const Value &value) override;
	const Method *methods() const override;
	void trace(Heap &heap) const override;

	std::map<std::string, Value> fields;
};

// What a function does when it is called.
class Code {
public:
	virtual ~Code() {}
	virtual Value run(Interp &vm, const Value &self, Args &args) = 0;
	virtual void trace(Heap &heap) const = 0;
	virtual std::string name() const = 0;
};

class Function : public Object {
public:
	static const Type kType = Type::Function;
	explicit Function(Code *code) : Object(kType), code_(code) {}
	~Function() override { delete code_; }
	const char *typeName() const override { return "function"; }
	std::string text() const override;
	const Method *methods() const override;
	void trace(Heap &heap) const override;

	Code *code() const { return code_; }

private:
	Code *code_;
};

// A moment: seconds since 1970, seen from a time zone.
class Time : public Object {
public:
	static const Type kType = Type::Time;
	Time(double s, double z) : Object(kType), seconds(s), zone(z) {}
	const char *typeName() const override { return "time"; }
	std::string text() const override;
	bool getField(const std::string &name, Value &out) const override;
	void setField(const std::string &name, const Value &value) override;
	const Method *methods() const override;

	double seconds;
	double zone;     // hours east
};

// The numbers from `from` up to, not including, `to`.
class Range : public Object {
public:
	static const Type kType = Type::Range;
	Range(double f, double t, double s) : Object(kType), from(f), to(t), step(s) {}
	const char *typeName() const override { return "range"; }
	std::string text() const override;
	bool getField(const std::string &name, Value &out) const override;
	Value getIndex(Interp &vm, const Value &index) override;
	const Method *methods() const override;

	int count() const;

	double from, to, step;
};

// Raw bytes of a fixed number.
class Bytes : public Object {
public:
	static const Type kType = Type::Bytes;
	explicit Bytes(size_t n);
	~Bytes() override;
	const char *typeName() const override { return "bytes"; }
	std::string text() const override;
	bool getField(const std::string &name, Value &out) const override;
	Value getIndex(Interp &vm, const Value &index) override;
	void setIndex(const Value &index, const Value &value) override;
	const Method *methods() const override;

	void release();

	unsigned char *data;
	size_t size;
};

// The names of one call or of the whole page.
class Scope : public Object {
public:
	static const Type kType = Type::Scope;
	explicit Scope(Scope *outer) : Object(kType), outer_(outer) {}
	const char *typeName() const override { return "scope"; }
	void trace(Heap &heap) const override;

	void declare(const std::string &name, const Value &value) { names_[name] = value; }
	Value *find(const std::string &name);

private:
	Scope *outer_;
	std::map<std::string, Value> names_;
};

#endif
