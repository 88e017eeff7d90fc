// interp.cc - the parts of the interpreter around the syntax tree: calls, properties, collection.
#include "interp.h"

#include "parser.h"

static const int kMaxDepth = 150;
static const long kMaxSteps = 300000;
static const long kMaxStack = 2 << 20;
static const size_t kMaxOutput = 1 << 20;

Args::Args(Interp &vm) : vm_(vm), outer_(vm.args_)
{
	vm.args_ = this;
}

Args::Args(Interp &vm, std::initializer_list<Value> list) : values(list), vm_(vm), outer_(vm.args_)
{
	vm.args_ = this;
}

Args::~Args()
{
	vm_.args_ = outer_;
}

double Args::number(size_t i, double otherwise) const
{
	if (i >= values.size())
		return otherwise;
	if (!values[i].isNumber())
		throw ScriptError(std::string("expected a number, not a ") + values[i].typeName());
	return values[i].number;
}

Hold::Hold(Interp &vm, const Value &value) : vm_(vm), value_(value), outer_(vm.holds_)
{
	vm.holds_ = this;
}

Hold::~Hold()
{
	vm_.holds_ = outer_;
}

// A function written in C++.
class NativeCode : public Code {
public:
	explicit NativeCode(const Method &method) : method_(method) {}
	Value run(Interp &vm, const Value &self, Args &args) override { return method_.run(vm, self, args); }
	void trace(Heap &) const override {}
	std::string name() const override { return method_.name; }

private:
	Method method_;
};

Interp::Interp(unsigned gcObjects, unsigned gcGrowth)
	: heap_(gcObjects, gcGrowth), globals_(nullptr), scope_(nullptr), args_(nullptr), holds_(nullptr),
	  out_(nullptr), stack_(static_cast<char *>(__builtin_frame_address(0))), depth_(0), line_(0),
	  steps_(0)
{
	globals_ = heap_.make<Scope>(nullptr);
	scope_ = globals_;
	defineBase(*this);
}

Interp::~Interp()
{
}

void Interp::run(const std::string &source, std::string &out)
{
	out_ = &out;
	programs_.push_back(parseScript(source));
	programs_.back()->run(*this);
}

void Interp::print(const std::string &text)
{
	if (out_->size() + text.size() > kMaxOutput)
		throw ScriptError("the page is too long");
	*out_ += text;
}

Value Interp::string(const std::string &chars)
{
	return Value(heap_.make<String>(chars));
}

Object *Interp::list()
{
	return heap_.make<List>();
}

// One object for each C++ function, so that comparing them works.
Value Interp::native(const Method &method)
{
	Function *&function = natives_[method.run];

	if (function == nullptr)
		function = heap_.make<Function>(new NativeCode(method));
	return Value(function);
}

void Interp::define(const char *name, NativeFn fn)
{
	globals_->declare(name, native(Method{ name, fn }));
}

Scope *Interp::enter(Scope *scope)
{
	Scope *outer = scope_;

	if (depth_ >= kMaxDepth || stack_ - static_cast<char *>(__builtin_frame_address(0)) > kMaxStack)
		throw ScriptError("calls are nested too deeply");
	depth_++;
	scope_ = scope;
	return outer;
}

Value Interp::call(const Value &function, const Value &self, Args &args)
{
	Function &callee = need<Function>(function, "a call");
	Hold holdCallee(*this, function), holdSelf(*this, self);

	return callee.code()->run(*this, self, args);
}

Value Interp::getField(const Value &object, const std::string &name)
{
	Value out;

	if (!object.isObject())
		throw ScriptError(std::string("a ") + object.typeName() + " has no property " + name);
	if (object.ref->getField(name, out))
		return out;
	for (const Method *m = object.ref->methods(); m->name != nullptr; m++)
		if (name == m->name)
			return native(*m);
	return Value();
}

void Interp::setField(const Value &object, const std::string &name, const Value &value)
{
	if (!object.isObject())
		throw ScriptError(std::string("a ") + object.typeName() + " has no properties");
	object.ref->setField(name, value);
}

Value Interp::getIndex(const Value &object, const Value &index)
{
	if (!object.isObject())
		throw ScriptError(std::string("a ") + object.typeName() + " has no elements");
	return object.ref->getIndex(*this, index);
}

void Interp::setIndex(const Value &object, const Value &index, const Value &value)
{
	if (!object.isObject())
		throw ScriptError(std::string("a ") + object.typeName() + " has no elements");
	object.ref->setIndex(index, value);
}

void Interp::safePoint(int line)
{
	line_ = line;
	if (++steps_ > kMaxSteps)
		throw ScriptError("the script runs too long");
	if (heap_.due())
		collect();
}

void Interp::collect()
{
	heap_.mark(globals_);
	heap_.mark(scope_);
	for (Args *args = args_; args != nullptr; args = args->outer_)
		for (const Value &value : args->values)
			heap_.mark(value);
	for (Hold *hold = holds_; hold != nullptr; hold = hold->outer_)
		heap_.mark(hold->value_);
	for (auto &native : natives_)
		heap_.mark(native.second);
	for (const Roots *roots : roots_)
		roots->trace(heap_);
	heap_.sweep();
}
