// ast.h - the syntax tree, which is also what runs.
#ifndef GAZETTE_AST_H
#define GAZETTE_AST_H

#include <memory>
#include <string>
#include <vector>

#include "interp.h"

class Expr {
public:
	virtual ~Expr() {}
	virtual Value eval(Interp &vm) const = 0;

	// Store to the place the expression names. Throws if it names none.
	virtual void assign(Interp &vm, const Value &value) const;

	// The value as something to call, and what it is called on.
	virtual Value callee(Interp &vm, Value &self) const;
};

using ExprPtr = std::unique_ptr<Expr>;

// How a statement ended.
enum class Flow { Next, Break, Continue, Return };

class Stmt {
public:
	explicit Stmt(int l) : line(l) {}
	virtual ~Stmt() {}
	virtual Flow exec(Interp &vm, Value &result) const = 0;

	int line;
};

using StmtPtr = std::unique_ptr<Stmt>;

struct Block {
	std::vector<StmtPtr> statements;

	Flow exec(Interp &vm, Value &result) const;
};

class Literal : public Expr {
public:
	explicit Literal(const Value &v) : value(v) {}
	Value eval(Interp &) const override { return value; }
	Value value;
};

class Text : public Expr {
public:
	explicit Text(const std::string &c) : chars(c) {}
	Value eval(Interp &vm) const override { return vm.string(chars); }
	std::string chars;
};

class Variable : public Expr {
public:
	explicit Variable(const std::string &n) : name(n) {}
	Value eval(Interp &vm) const override;
	void assign(Interp &vm, const Value &value) const override;
	std::string name;
};

class Unary : public Expr {
public:
	Unary(char s, ExprPtr o) : sign(s), operand(std::move(o)) {}
	Value eval(Interp &vm) const override;
	char sign;
	ExprPtr operand;
};

class Binary : public Expr {
public:
	Binary(const std::string &s, ExprPtr l, ExprPtr r) : sign(s), left(std::move(l)), right(std::move(r)) {}
	Value eval(Interp &vm) const override;
	std::string sign;
	ExprPtr left, right;
};

class Logical : public Expr {
public:
	Logical(bool a, ExprPtr l, ExprPtr r) : both(a), left(std::move(l)), right(std::move(r)) {}
	Value eval(Interp &vm) const override;
	bool both;
	ExprPtr left, right;
};

class Assign : public Expr {
public:
	Assign(const std::string &s, ExprPtr t, ExprPtr v) : sign(s), target(std::move(t)), value(std::move(v)) {}
	Value eval(Interp &vm) const override;
	std::string sign;     // "" or the operation of "+=" and "-="
	ExprPtr target, value;
};

class Field : public Expr {
public:
	Field(ExprPtr o, const std::string &n) : object(std::move(o)), name(n) {}
	Value eval(Interp &vm) const override;
	void assign(Interp &vm, const Value &value) const override;
	Value callee(Interp &vm, Value &self) const override;
	ExprPtr object;
	std::string name;
};

class Index : public Expr {
public:
	Index(ExprPtr o, ExprPtr i) : object(std::move(o)), index(std::move(i)) {}
	Value eval(Interp &vm) const override;
	void assign(Interp &vm, const Value &value) const override;
	ExprPtr object, index;
};

class Call : public Expr {
public:
	explicit Call(ExprPtr f) : function(std::move(f)) {}
	Value eval(Interp &vm) const override;
	ExprPtr function;
	std::vector<ExprPtr> args;
};

class ListLiteral : public Expr {
public:
	Value eval(Interp &vm) const override;
	std::vector<ExprPtr> items;
};

class TableLiteral : public Expr {
public:
	Value eval(Interp &vm) const override;
	std::vector<std::pair<std::string, ExprPtr>> fields;
};

class Lambda : public Expr {
public:
	Value eval(Interp &vm) const override;
	std::string name;
	std::vector<std::string> params;
	Block body;
};

class ExprStmt : public Stmt {
public:
	ExprStmt(int l, ExprPtr e) : Stmt(l), expr(std::move(e)) {}
	Flow exec(Interp &vm, Value &result) const override;
	ExprPtr expr;
};

class VarStmt : public Stmt {
public:
	VarStmt(int l, const std::string &n, ExprPtr v) : Stmt(l), name(n), value(std::move(v)) {}
	Flow exec(Interp &vm, Value &result) const override;
	std::string name;
	ExprPtr value;
};

class IfStmt : public Stmt {
public:
	explicit IfStmt(int l) : Stmt(l) {}
	Flow exec(Interp &vm, Value &result) const override;
	ExprPtr test;
	Block yes, no;
};

// while and for
class LoopStmt : public Stmt {
public:
	explicit LoopStmt(int l) : Stmt(l) {}
	Flow exec(Interp &vm, Value &result) const override;
	StmtPtr before;
	ExprPtr test, after;
	Block body;
};

class FlowStmt : public Stmt {
public:
	FlowStmt(int l, Flow f, ExprPtr v) : Stmt(l), flow(f), value(std::move(v)) {}
	Flow exec(Interp &vm, Value &result) const override;
	Flow flow;
	ExprPtr value;
};

class Program {
public:
	void run(Interp &vm) const;
	Block body;
};

#endif
