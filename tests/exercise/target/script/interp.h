// interp.h - running scripts: one interpreter for each page that is rendered.
#ifndef GAZETTE_INTERP_H
#define GAZETTE_INTERP_H

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "heap.h"
#include "objects.h"

class Interp;
class Program;

// The arguments of a call; the collector sees them.
class Args {
public:
	explicit Args(Interp &vm);
	Args(Interp &vm, std::initializer_list<Value> values);
	~Args();
	Args(const Args &) = delete;
	Args &operator=(const Args &) = delete;

	size_t size() const { return values.size(); }
	Value operator[](size_t i) const { return i < values.size() ? values[i] : Value(); }

	// Numbers, with what to take if there is none.
	double number(size_t i, double otherwise) const;
	int integer(size_t i, int otherwise) const { return toInt(number(i, otherwise)); }

	std::vector<Value> values;

private:
	friend class Interp;
	Interp &vm_;
	Args *outer_;
};

// Keeps a value alive while C++ code needs it.
class Hold {
public:
	Hold(Interp &vm, const Value &value);
	~Hold();
	Hold(const Hold &) = delete;
	Hold &operator=(const Hold &) = delete;

private:
	friend class Interp;
	Interp &vm_;
	Value value_;
	Hold *outer_;
};

// What else has to be kept: the page's own objects.
class Roots {
public:
	virtual ~Roots() {}
	virtual void trace(Heap &heap) const = 0;
};

class Interp {
public:
	Interp(unsigned gcObjects, unsigned gcGrowth);
	~Interp();

	// Run a script's source. Its output is added to out. Throws ScriptError.
	void run(const std::string &source, std::string &out);

	Value call(const Value &function, const Value &self, Args &args);
	Value getField(const Value &object, const std::string &name);
	Value getIndex(const Value &object, const Value &index);
	void setField(const Value &object, const std::string &name, const Value &value);
	void setIndex(const Value &object, const Value &index, const Value &value);

	Heap &heap() { return heap_; }
	Scope *globals() { return globals_; }
	Value string(const std::string &chars);
	Object *list();
	Value native(const Method &method);
	void define(const char *name, NativeFn fn);
	void addRoots(const Roots *roots) { roots_.push_back(roots); }
	void print(const std::string &text);

	// Called before every statement: counts, and collects when it is time.
	void safePoint(int line);
	int line() const { return line_; }

	// The names the running function sees.
	Scope *enter(Scope *scope);
	void leave(Scope *outer) { scope_ = outer; depth_--; }
	Scope *scope() { return scope_; }

private:
	friend class Args;
	friend class Hold;

	void collect();

	Heap heap_;
	Scope *globals_;
	Scope *scope_;
	Args *args_;
	Hold *holds_;
	std::string *out_;
	std::vector<const Roots *> roots_;
	std::vector<std::unique_ptr<Program>> programs_;
	std::map<NativeFn, Function *> natives_;
	char *stack_;     // where it was when the page began
	int depth_;
	int line_;
	long steps_;
};

// The functions every script can use (lib_base.cc).
void defineBase(Interp &vm);

#endif
