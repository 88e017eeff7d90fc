// lexer.cc - cut a script into words (see lexer.h).
#include "lexer.h"

#include <cctype>
#include <cstdlib>
#include <cstring>

#include "value.h"

char Lexer::peek(size_t ahead) const
{
	return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
}

void Lexer::skipSpace()
{
	for (;;) {
		char c = peek();

		if (c == '/' && peek(1) == '/') {
			while (at_ < source_.size() && peek() != '\n')
				at_++;
		} else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			line_ += c == '\n';
			at_++;
		} else {
			return;
		}
	}
}

static bool nameChar(char c)
{
	return isalnum(static_cast<unsigned char>(c)) || c == '_';
}

Token Lexer::word()
{
	size_t start = at_;

	while (nameChar(peek()))
		at_++;
	return Token{ Token::Name, source_.substr(start, at_ - start), 0, line_ };
}

Token Lexer::numeral()
{
	const char *start = source_.c_str() + at_;
	char *end;
	double value = strtod(start, &end);

	at_ += static_cast<size_t>(end - start);
	return Token{ Token::Number, "", value, line_ };
}

// What follows a backslash.
char Lexer::escape()
{
	char c = peek();
	char digits[3] = { peek(1), c ? peek(2) : '\0', '\0' };

	at_++;
	switch (c) {
	case 'n': return '\n';
	case 't': return '\t';
	case 'x':
		if (!isxdigit(static_cast<unsigned char>(digits[0])) ||
		    !isxdigit(static_cast<unsigned char>(digits[1])))
			throw ScriptError("two hex digits have to follow \\x");
		at_ += 2;
		return static_cast<char>(strtol(digits, nullptr, 16));
	default: return c;
	}
}

Token Lexer::quoted()
{
	char quote = source_[at_++];
	Token token{ Token::String, "", 0, line_ };

	while (peek() != quote) {
		if (at_ >= source_.size() || peek() == '\n')
			throw ScriptError("a string has no end");
		char c = source_[at_++];
		token.text += c == '\\' ? escape() : c;
	}
	at_++;
	return token;
}

Token Lexer::sign()
{
	static const char *const doubles[] = { "==", "!=", "<=", ">=", "&&", "||", "+=", "-=", "++", "--" };
	Token token{ Token::Sign, std::string(1, peek()), 0, line_ };

	for (const char *pair : doubles)
		if (peek() == pair[0] && peek(1) == pair[1])
			token.text = pair;
	if (strchr("+-*/%=<>!&|(){}[].,;:", peek()) == nullptr)
		throw ScriptError("unexpected character");
	at_ += token.text.size();
	return token;
}

Token Lexer::next()
{
	skipSpace();
	char c = peek();

	if (at_ >= source_.size())
		return Token{ Token::End, "", 0, line_ };
	if (isdigit(static_cast<unsigned char>(c)))
		return numeral();
	if (nameChar(c))
		return word();
	if (c == '"' || c == '\'')
		return quoted();
	return sign();
}
