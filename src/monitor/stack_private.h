/* Private to stack*.c and locate*.c. */
#ifndef MONITOR_STACK_PRIVATE_H
#define MONITOR_STACK_PRIVATE_H

#include "monitor/locate_call.h"
#include "monitor/stack.h"
#include "monitor/stack_insn.h"

/* Code at an address. module NULL: none. */
struct stack_code {
	struct module *module;
	uint64_t bias, offset;
};

static inline struct stack_code stack_code_at(const struct stack_view *v, uint64_t address)
{
	struct stack_code c = {0};
	c.module = v->module_at(v->context, address, &c.bias);
	c.offset = address - c.bias;
	if (c.module && !module_text(c.module, c.offset))
		c.module = NULL;
	return c;
}

static inline bool stack_word(const struct stack_view *v, uint64_t address, uint64_t *word)
{
	return v->read(v->context, address, word, 8) == 8;
}

/* The call that ends at a return address. */
static inline bool stack_call_before(const struct stack_view *v, uint64_t return_address, struct stack_code *call)
{
	*call = stack_code_at(v, return_address - 1);
	return call->module && locate_is_call(call->module, return_address - call->bias, &call->offset);
}

/* Takes from what searches may still cost; false: it is used up. */
static inline bool stack_spend(const struct stack_view *v, uint64_t effort)
{
	if (!v->effort)
		return true;
	bool enough = *v->effort >= effort;
	*v->effort = enough ? *v->effort - effort : 0;
	return enough;
}

/* Entry of the procedure that holds code; 0: unknown. */
uint64_t stack_procedure(const struct stack_view *v, const struct stack_code *code);
void stack_frame(const struct stack_view *v, const struct stack_code *code, uint64_t cfa, struct frame *out);

/* Return address of a signal handler: mov $15,%eax; syscall (rt_sigreturn), in a module or not. */
bool stack_is_restorer(const struct stack_view *v, uint64_t address);

/* Where a call goes, through a PLT stub to the procedure behind it. False if it can't be told from memory alone (registers). */
bool stack_call_target(const struct stack_view *v, const struct stack_code *call, uint64_t *address);

/* A search for the way out of a procedure, from code without call frame information: follows the instructions to a ret, keeping track of
 * the stack pointer and of restored registers. */
struct stack_exit {
	uint64_t slot;               /* where the return address lies */
	uint64_t offset;             /* the ret, or tail jump */
	struct cfi_registers caller;
	bool is_exact;               /* all callee-saved registers are known */
};

/* `known`: bit per general register that holds its true value in *r (REG_RSP must). slot 0: any slot that holds a valid return address; else
 * exactly that slot. False if there is no such way. */
bool stack_find_exit(const struct stack_view *v, const struct stack_code *from, const struct cfi_registers *r, uint32_t known, uint64_t slot,
		     struct stack_exit *out);

/* Guesses. Both set caller->rip, rsp and rbp. `procedure`: the entry address of the present one, which its caller should call; 0: unknown, or
 * the caller's return address is known to be overwritten. */
bool stack_by_frame_pointer(const struct stack_view *v, const struct cfi_registers *r, struct cfi_registers *caller);
bool stack_by_scan(const struct stack_view *v, const struct cfi_registers *r, uint64_t procedure, struct cfi_registers *caller);

/* Calls visit for each after-call address in the dead stack below rsp, downward, until it returns true. */
typedef bool stack_remains_visitor(void *context, uint64_t slot, uint64_t return_address, const struct stack_code *call);
void stack_visit_remains(const struct stack_view *v, uint64_t rsp, stack_remains_visitor *visit, void *context);

#endif
