// ast.cc - run the syntax tree (see ast.h). Values needed after another part of the tree has run are
// in a Hold, as that part may call functions and so collect.
#include "ast.h"

#include <cmath>

static const size_t kMaxString = 1 << 16;

void Expr::assign(Interp &, const Value &) const
{
	throw ScriptError("this can't be assigned to");
}

Value Expr::callee(Interp &vm, Value &self) const
{
	self = Value();
	return eval(vm);
}

Flow Block::exec(Interp &vm, Value &result) const
{
	for (const StmtPtr &statement : statements) {
		vm.safePoint(statement->line);
		Flow flow = statement->exec(vm, result);
		if (flow != Flow::Next)
			return flow;
	}
	return Flow::Next;
}

Value Variable::eval(Interp &vm) const
{
	Value *value = vm.scope()->find(name);

	if (value == nullptr)
		throw ScriptError("there is no variable " + name);
	return *value;
}

void Variable::assign(Interp &vm, const Value &value) const
{
	Value *place = vm.scope()->find(name);

	if (place == nullptr)
		throw ScriptError("there is no variable " + name);
	*place = value;
}

Value Unary::eval(Interp &vm) const
{
	Value value = operand->eval(vm);

	if (sign == '!')
		return Value(!value.truthy());
	if (!value.isNumber())
		throw ScriptError(std::string("a ") + value.typeName() + " has no sign");
	return Value(-value.number);
}

static Value add(Interp &vm, const Value &left, const Value &right)
{
	if (left.isNumber() && right.isNumber())
		return Value(left.number + right.number);
	if (as<String>(left) == nullptr && as<String>(right) == nullptr)
		throw ScriptError(std::string("can't add a ") + right.typeName() + " to a " + left.typeName());
	std::string chars = left.text() + right.text();
	if (chars.size() > kMaxString)
		throw ScriptError("the string is too long");
	return vm.string(chars);
}

static bool less(const Value &left, const Value &right)
{
	if (left.isNumber() && right.isNumber())
		return left.number < right.number;
	if (as<String>(left) && as<String>(right))
		return as<String>(left)->chars < as<String>(right)->chars;
	throw ScriptError(std::string("can't compare a ") + left.typeName() + " with a " + right.typeName());
}

static Value arithmetic(char sign, const Value &left, const Value &right)
{
	if (!left.isNumber() || !right.isNumber())
		throw ScriptError(std::string("can't compute with a ") +
				  (left.isNumber() ? right : left).typeName());
	switch (sign) {
	case '-': return Value(left.number - right.number);
	case '*': return Value(left.number * right.number);
	case '/': return Value(left.number / right.number);
	default: return Value(std::fmod(left.number, right.number));
	}
}

static Value operate(Interp &vm, const std::string &sign, const Value &left, const Value &right)
{
	if (sign == "+")
		return add(vm, left, right);
	if (sign == "==")
		return Value(left.same(right));
	if (sign == "!=")
		return Value(!left.same(right));
	if (sign == "<")
		return Value(less(left, right));
	if (sign == ">")
		return Value(less(right, left));
	if (sign == "<=")
		return Value(!less(right, left));
	if (sign == ">=")
		return Value(!less(left, right));
	return arithmetic(sign[0], left, right);
}

Value Binary::eval(Interp &vm) const
{
	Value l = left->eval(vm);
	Hold hold(vm, l);

	return operate(vm, sign, l, right->eval(vm));
}

Value Logical::eval(Interp &vm) const
{
	Value l = left->eval(vm);

	return l.truthy() == both ? right->eval(vm) : l;
}

Value Assign::eval(Interp &vm) const
{
	Value v;

	if (sign.empty()) {
		v = value->eval(vm);
	} else {
		Value old = target->eval(vm);
		Hold hold(vm, old);

		v = operate(vm, sign, old, value->eval(vm));
	}
	Hold hold(vm, v);
	target->assign(vm, v);
	return v;
}

Value Field::eval(Interp &vm) const
{
	return vm.getField(object->eval(vm), name);
}

void Field::assign(Interp &vm, const Value &value) const
{
	vm.setField(object->eval(vm), name, value);
}

Value Field::callee(Interp &vm, Value &self) const
{
	self = object->eval(vm);
	return vm.getField(self, name);
}

Value Index::eval(Interp &vm) const
{
	Value o = object->eval(vm);
	Hold hold(vm, o);

	return vm.getIndex(o, index->eval(vm));
}

void Index::assign(Interp &vm, const Value &value) const
{
	Value o = object->eval(vm);
	Hold hold(vm, o);

	vm.setIndex(o, index->eval(vm), value);
}

Value Call::eval(Interp &vm) const
{
	Value self, callee = function->callee(vm, self);
	Hold holdSelf(vm, self), holdCallee(vm, callee);
	Args values(vm);

	for (const ExprPtr &arg : args)
		values.values.push_back(arg->eval(vm));
	return vm.call(callee, self, values);
}

Value ListLiteral::eval(Interp &vm) const
{
	Object *list = vm.list();
	Hold hold(vm, list);

	for (const ExprPtr &item : items)
		list->append(item->eval(vm));
	return Value(list);
}

Value TableLiteral::eval(Interp &vm) const
{
	Table *table = vm.heap().make<Table>();
	Hold hold(vm, Value(table));

	for (auto &field : fields)
		table->setField(field.first, field.second->eval(vm));
	return Value(table);
}

// A function written in the script. Its tree belongs to the program, which lives as long as the page.
class ScriptCode : public Code {
public:
	ScriptCode(const Lambda &lambda, Scope *scope) : lambda_(lambda), scope_(scope) {}
	Value run(Interp &vm, const Value &self, Args &args) override;
	void trace(Heap &heap) const override { heap.mark(scope_); }
	std::string name() const override { return lambda_.name; }

private:
	const Lambda &lambda_;
	Scope *scope_;
};

// The running function's scope, for as long as it runs.
class Frame {
public:
	Frame(Interp &vm, Scope *scope) : vm_(vm), outer_(vm.enter(scope)), hold_(vm, Value(outer_)) {}
	~Frame() { vm_.leave(outer_); }

private:
	Interp &vm_;
	Scope *outer_;
	Hold hold_;
};

Value ScriptCode::run(Interp &vm, const Value &self, Args &args)
{
	Scope *scope = vm.heap().make<Scope>(scope_);
	Frame frame(vm, scope);
	Value result;

	scope->declare("self", self);
	for (size_t i = 0; i < lambda_.params.size(); i++)
		scope->declare(lambda_.params[i], args[i]);
	lambda_.body.exec(vm, result);
	return result;
}

Value Lambda::eval(Interp &vm) const
{
	return Value(vm.heap().make<Function>(new ScriptCode(*this, vm.scope())));
}

Flow ExprStmt::exec(Interp &vm, Value &) const
{
	expr->eval(vm);
	return Flow::Next;
}

Flow VarStmt::exec(Interp &vm, Value &) const
{
	vm.scope()->declare(name, value ? value->eval(vm) : Value());
	return Flow::Next;
}

Flow IfStmt::exec(Interp &vm, Value &result) const
{
	return test->eval(vm).truthy() ? yes.exec(vm, result) : no.exec(vm, result);
}

Flow LoopStmt::exec(Interp &vm, Value &result) const
{
	if (before)
		before->exec(vm, result);
	while (!test || test->eval(vm).truthy()) {
		vm.safePoint(line);
		Flow flow = body.exec(vm, result);
		if (flow == Flow::Break)
			break;
		if (flow == Flow::Return)
			return flow;
		if (after)
			after->eval(vm);
	}
	return Flow::Next;
}

Flow FlowStmt::exec(Interp &vm, Value &result) const
{
	if (value)
		result = value->eval(vm);
	return flow;
}

void Program::run(Interp &vm) const
{
	Value result;

	body.exec(vm, result);
}
