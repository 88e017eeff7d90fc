// lexer.h - words of a script.
#ifndef GAZETTE_LEXER_H
#define GAZETTE_LEXER_H

#include <string>

struct Token {
	enum Kind { End, Name, Number, String, Sign } kind;
	std::string text;    // the name, the string's characters, or the sign
	double number;
	int line;
};

class Lexer {
public:
	explicit Lexer(const std::string &source) : source_(source), at_(0), line_(1) {}

	// The next word; an End at the end. Throws ScriptError.
	Token next();

private:
	void skipSpace();
	Token word();
	Token numeral();
	Token quoted();
	Token sign();
	char escape();
	char peek(size_t ahead = 0) const;

	const std::string &source_;
	size_t at_;
	int line_;
};

#endif
