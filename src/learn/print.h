/* Operands, variables and invariants as text for people: commands and reports.
 *
 *   libcoap-3.so+0x1234: eax in {0, 1}
 *   libcoap-3.so+0x1234: 5 <= ecx
 *   libcoap-3.so+0x1234: [rbx+8] <= rdx @0x1220          the other instruction is named where it is another one
 *   libcoap-3.so+0x1234: sp = entry - 56
 *   libcoap-3.so+0x1234: [rax+0x18] in {libcoap-3.so+0x8840}
 *
 *   libcoap-3.so+0x12f0: has returned {-1, 0}
 *
 * All return the length of the whole text, as snprintf does. */
#ifndef LEARN_PRINT_H
#define LEARN_PRINT_H

#include <clearview/invariant.h>
#include <stddef.h>

/* "one-of", "lower-bound", "less-than", "sp-offset"; indexed by enum invariant_kind. */
extern const char *const invariant_kind_names[];

/* "eax", "dword [rdi+rsi*4+0x8]", "&[rdi+rsi*4]" (an address), "[rel 0x4010]" (module offset), "fs:[0x10]". Eight-byte memory has no size word. */
int print_operand(const struct operand *o, char *out, size_t size);

/* As print_operand; "sp" for the stack pointer at a block's start, "return value" for rax at a return. */
int print_variable(const struct variable *v, char *out, size_t size);

/* The condition alone: "5 <= ecx". */
int print_condition(const struct invariant *i, const char *module, char *out, size_t size);

/* With its program point in front. `module` is the module's readable name; NULL: the key's first 12 characters. */
int print_invariant(const struct invariant *i, const char *module, char *out, size_t size);

#endif
