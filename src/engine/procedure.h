/* A procedure as a control-flow graph: the instructions reached from its entry by direct flow and recognised switch tables, hot and cold parts
 * together. Procedures start from .eh_frame ranges (present in stripped binaries); what lies outside them starts at the address it was
 * entered at and ends where direct flow ends (paper section 2.2.3). */
#ifndef ENGINE_PROCEDURE_H
#define ENGINE_PROCEDURE_H

#include "engine/module.h"
#include "x86/insn.h"

struct block {
	uint32_t first, count;    /* instructions: procedure.insns[first .. first + count) */
	uint32_t successor[2];    /* block numbers */
	uint8_t successor_count;
	bool ends_indirect;       /* an indirect jump: its successors are procedure.landings */
};

struct procedure {
	struct module *module;
	uint64_t entry;          /* module offset */
	struct range *ranges;    /* the parts it consists of, ascending */
	size_t range_count;
	struct insn *insns;      /* address = module offset; ascending (overlapping code may overlap) */
	size_t insn_count;
	struct block *blocks;    /* ascending by address; blocks[entry_block] holds the entry */
	size_t block_count;
	uint32_t entry_block;
	uint32_t *landings;      /* blocks an indirect jump may go to: switch cases, address-taken labels, C++ landing pads */
	size_t landing_count;
	uint64_t *exits;         /* targets of direct jumps that leave the procedure */
	size_t exit_count;
	unsigned users;          /* procedure_free by the last one frees it */
	bool lasting;            /* worth keeping for the next supervisor: it was redirected */
	bool borrowed;           /* the arrays belong to the module's analysis */
};

/* Finds the procedure that holds `offset` and walks it. Returns 0 or -errno (-EFAULT: not in executable file bytes). */
int procedure_decode(struct module *m, uint64_t offset, struct procedure **out) __attribute__((warn_unused_result));
/* The same without the work, where the procedure was asked for before: they are kept with the module, decoded from their entries. One more user; must
 * not be changed. */
int procedure_get(struct module *m, uint64_t offset, struct procedure **out) __attribute__((warn_unused_result));
/* Has procedure_get find it, as far as it has nothing for the procedure's parts yet. One more user. */
void procedure_keep(struct module *m, struct procedure *p);
void procedure_free(struct procedure *p);

/* The instruction that starts at the offset, or NULL. */
const struct insn *procedure_insn(const struct procedure *p, uint64_t offset);

/* Bytes of an instruction of the procedure. */
const uint8_t *procedure_bytes(const struct procedure *p, const struct insn *i);

#endif
