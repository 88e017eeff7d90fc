/* What a shadow of return addresses has to know of a procedure's code: whether anything in it, or called by it, could overwrite its return address, and which
 * of its `ret`s return. A `ret` is also used as a jump: behind a push, a store to the top of the stack (retpolines), or a switch to another
 * stack (contexts, exceptions that are resumed in another frame). */
#ifndef ENGINE_RETURN_SITES_H
#define ENGINE_RETURN_SITES_H

#include "engine/procedure.h"
#include "x86/effects.h"

/* False: nothing can have happened to the return address between entry and return, or the procedure handles it in a way of its own. */
bool returns_need_watch(const struct procedure *p, const struct effects *effects);

/* It jumps into other procedures' middles, as a hot part does into its cold one: their returns are its own. */
bool returns_elsewhere(const struct procedure *p);

/* A `ret` that goes to where the procedure was called from, as far as its block tells. */
bool return_is_plain(const struct procedure *p, const struct effects *effects, size_t insn);

#endif
