// parser.cc - recursive descent over the grammar in parser.h.
#include "parser.h"

#include "lexer.h"

namespace {

const int kMaxNesting = 100;

class Parser {
public:
	explicit Parser(const std::string &source) : lexer_(source), nesting_(0) { next(); }
	std::unique_ptr<Program> program();

private:
	// One level of the source; too many would exhaust the stack.
	struct Level {
		explicit Level(Parser &p) : parser(p)
		{
			if (++p.nesting_ > kMaxNesting)
				p.fail("nested too deeply");
		}
		~Level() { parser.nesting_--; }
		Parser &parser;
	};

	[[noreturn]] void fail(const std::string &what);
	void next() { token_ = lexer_.next(); }
	bool at(const char *sign) const { return token_.kind == Token::Sign && token_.text == sign; }
	bool atWord(const char *word) const { return token_.kind == Token::Name && token_.text == word; }
	bool accept(const char *sign);
	bool acceptWord(const char *word);
	void expect(const char *sign);
	std::string name();

	void block(Block &out);
	StmtPtr statement();
	StmtPtr varStatement();
	StmtPtr ifStatement();
	StmtPtr whileStatement();
	StmtPtr forStatement();
	StmtPtr flowStatement(Flow flow);
	StmtPtr functionStatement();
	StmtPtr simpleStatement();

	ExprPtr expr();
	ExprPtr binary(int level);
	ExprPtr operation(const std::string &sign, ExprPtr left, int level);
	ExprPtr unary();
	ExprPtr postfix();
	ExprPtr primary();
	ExprPtr list();
	ExprPtr table();
	ExprPtr lambda(const std::string &name);

	Lexer lexer_;
	Token token_;
	int nesting_;
};

void Parser::fail(const std::string &what)
{
	throw ScriptError(what + " in line " + std::to_string(token_.line));
}

bool Parser::accept(const char *sign)
{
	if (!at(sign))
		return false;
	next();
	return true;
}

bool Parser::acceptWord(const char *word)
{
	if (!atWord(word))
		return false;
	next();
	return true;
}

void Parser::expect(const char *sign)
{
	if (!accept(sign))
		fail(std::string("expected ") + sign);
}

std::string Parser::name()
{
	if (token_.kind != Token::Name)
		fail("expected a name");
	std::string text = token_.text;
	next();
	return text;
}

void Parser::block(Block &out)
{
	Level level(*this);

	expect("{");
	while (!accept("}")) {
		if (token_.kind == Token::End)
			fail("expected }");
		out.statements.push_back(statement());
	}
}

StmtPtr Parser::statement()
{
	if (atWord("var") || atWord("return") || atWord("break") || atWord("continue")) {
		StmtPtr simple = simpleStatement();

		expect(";");
		return simple;
	}
	if (acceptWord("if"))
		return ifStatement();
	if (acceptWord("while"))
		return whileStatement();
	if (acceptWord("for"))
		return forStatement();
	if (acceptWord("function"))
		return functionStatement();
	StmtPtr simple = simpleStatement();
	expect(";");
	return simple;
}

StmtPtr Parser::simpleStatement()
{
	int line = token_.line;

	if (acceptWord("var"))
		return varStatement();
	if (acceptWord("return"))
		return flowStatement(Flow::Return);
	if (acceptWord("break"))
		return flowStatement(Flow::Break);
	if (acceptWord("continue"))
		return flowStatement(Flow::Continue);
	return std::make_unique<ExprStmt>(line, expr());
}

StmtPtr Parser::varStatement()
{
	int line = token_.line;
	std::string variable = name();

	return std::make_unique<VarStmt>(line, variable, accept("=") ? expr() : nullptr);
}

StmtPtr Parser::flowStatement(Flow flow)
{
	int line = token_.line;
	bool value = flow == Flow::Return && !at(";");

	return std::make_unique<FlowStmt>(line, flow, value ? expr() : nullptr);
}

StmtPtr Parser::ifStatement()
{
	Level level(*this);
	auto out = std::make_unique<IfStmt>(token_.line);

	expect("(");
	out->test = expr();
	expect(")");
	block(out->yes);
	if (acceptWord("else")) {
		if (acceptWord("if"))
			out->no.statements.push_back(ifStatement());
		else
			block(out->no);
	}
	return out;
}

StmtPtr Parser::whileStatement()
{
	auto out = std::make_unique<LoopStmt>(token_.line);

	expect("(");
	out->test = expr();
	expect(")");
	block(out->body);
	return out;
}

StmtPtr Parser::forStatement()
{
	auto out = std::make_unique<LoopStmt>(token_.line);

	expect("(");
	if (!at(";"))
		out->before = simpleStatement();
	expect(";");
	if (!at(";"))
		out->test = expr();
	expect(";");
	if (!at(")"))
		out->after = expr();
	expect(")");
	block(out->body);
	return out;
}

StmtPtr Parser::functionStatement()
{
	int line = token_.line;
	std::string function = name();

	return std::make_unique<VarStmt>(line, function, lambda(function));
}

ExprPtr Parser::expr()
{
	Level level(*this);
	ExprPtr left = binary(0);

	if (accept("="))
		return std::make_unique<Assign>("", std::move(left), expr());
	if (accept("+="))
		return std::make_unique<Assign>("+", std::move(left), expr());
	if (accept("-="))
		return std::make_unique<Assign>("-", std::move(left), expr());
	return left;
}

// Operations from the loosest to the tightest.
const std::vector<std::vector<const char *>> kLevels = {
	{ "||" }, { "&&" }, { "==", "!=" }, { "<", ">", "<=", ">=" }, { "+", "-" }, { "*", "/", "%" },
};

ExprPtr Parser::operation(const std::string &sign, ExprPtr left, int level)
{
	ExprPtr right = binary(level + 1);

	if (level < 2)
		return std::make_unique<Logical>(sign == "&&", std::move(left), std::move(right));
	return std::make_unique<Binary>(sign, std::move(left), std::move(right));
}

ExprPtr Parser::binary(int level)
{
	if (level == static_cast<int>(kLevels.size()))
		return unary();
	ExprPtr left = binary(level + 1);
	for (int operators = 0; operators < 500; operators++) {
		std::string found;

		for (const char *sign : kLevels[static_cast<size_t>(level)])
			if (at(sign))
				found = sign;
		if (found.empty())
			return left;
		next();
		left = operation(found, std::move(left), level);
	}
	fail("the expression is too long");
}

ExprPtr Parser::unary()
{
	Level level(*this);

	if (accept("-"))
		return std::make_unique<Unary>('-', unary());
	if (accept("!"))
		return std::make_unique<Unary>('!', unary());
	return postfix();
}

ExprPtr Parser::postfix()
{
	ExprPtr left = primary();

	for (int steps = 0; steps < 100; steps++) {
		if (accept(".")) {
			left = std::make_unique<Field>(std::move(left), name());
		} else if (accept("[")) {
			left = std::make_unique<Index>(std::move(left), expr());
			expect("]");
		} else if (accept("(")) {
			auto call = std::make_unique<Call>(std::move(left));

			while (!accept(")")) {
				if (call->args.size() >= 64)
					fail("too many arguments");
				call->args.push_back(expr());
				if (!at(")"))
					expect(",");
			}
			left = std::move(call);
		} else {
			return left;
		}
	}
	fail("the expression is too long");
}

ExprPtr Parser::primary()
{
	Token token = token_;

	next();
	if (token.kind == Token::Number)
		return std::make_unique<Literal>(Value(token.number));
	if (token.kind == Token::String)
		return std::make_unique<Text>(token.text);
	if (token.text == "nil")
		return std::make_unique<Literal>(Value());
	if (token.text == "true" || token.text == "false")
		return std::make_unique<Literal>(Value(token.text == "true"));
	if (token.text == "function")
		return lambda("");
	if (token.kind == Token::Name)
		return std::make_unique<Variable>(token.text);
	if (token.text == "[")
		return list();
	if (token.text == "{")
		return table();
	if (token.text != "(")
		fail("unexpected " + (token.text.empty() ? "end" : token.text));
	ExprPtr inner = expr();
	expect(")");
	return inner;
}

ExprPtr Parser::list()
{
	auto out = std::make_unique<ListLiteral>();

	while (!accept("]")) {
		out->items.push_back(expr());
		if (!at("]"))
			expect(",");
	}
	return out;
}

ExprPtr Parser::table()
{
	auto out = std::make_unique<TableLiteral>();

	while (!accept("}")) {
		std::string field = token_.text;

		if (token_.kind == Token::String)
			next();
		else
			field = name();
		expect(":");
		out->fields.emplace_back(field, expr());
		if (!at("}"))
			expect(",");
	}
	return out;
}

ExprPtr Parser::lambda(const std::string &function)
{
	auto out = std::make_unique<Lambda>();

	out->name = function;
	expect("(");
	while (!accept(")")) {
		out->params.push_back(name());
		if (!at(")"))
			expect(",");
	}
	block(out->body);
	return out;
}

std::unique_ptr<Program> Parser::program()
{
	auto out = std::make_unique<Program>();

	while (token_.kind != Token::End)
		out->body.statements.push_back(statement());
	return out;
}

} // namespace

std::unique_ptr<Program> parseScript(const std::string &source)
{
	return Parser(source).program();
}
