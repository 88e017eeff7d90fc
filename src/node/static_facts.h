/* What code says about itself, for the repair engine. */
#ifndef NODE_STATIC_FACTS_H
#define NODE_STATIC_FACTS_H

#include "engine/procedure.h"
#include "repair/host.h"

enum repair_site static_site(const struct module *m, uint64_t offset);
/* false: nothing of the procedure stands behind the call, so it was compiled as one that doesn't return. */
bool static_call_returns(struct module *m, uint64_t offset);
/* Is it the call that the stack protector's comparison branches to? */
bool static_is_stack_check(struct module *m, uint64_t offset);
/* Is the code behind the call reached through the call only, so that the compiler took it to return? Where branches lead there too, false. */
bool static_call_alone_leads_on(struct module *m, uint64_t offset);
/* Has the procedure a way to return? */
bool static_procedure_returns(struct module *m, uint64_t offset);
/* Constants that reach eax before a return, the most frequent first (error returns are many, success is one). Returns how many. */
size_t static_return_values(const struct procedure *p, int64_t *out, size_t max);

/* The program's main, a module offset; 0: its start code is of no known kind (static_main.c). */
uint64_t static_main(const struct module *m);

#endif
