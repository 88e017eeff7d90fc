// parser.h - scripts' grammar.
//
//   statement = "var" name ["=" expr] ";" | "if" "(" expr ")" block ["else" (block | if)]
//             | "while" "(" expr ")" block | "for" "(" [statement] ";" [expr] ";" [expr] ")" block
//             | "function" name params block | "return" [expr] ";" | "break" ";" | "continue" ";"
//             | expr ";"
//   expr      = or ["=" expr | "+=" expr | "-=" expr],  then || && == < + * unary call, as usual
#ifndef GAZETTE_PARSER_H
#define GAZETTE_PARSER_H

#include <memory>
#include <string>

#include "ast.h"

// Throws ScriptError.
std::unique_ptr<Program> parseScript(const std::string &source);

#endif
