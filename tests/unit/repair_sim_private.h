/* What the two halves of the simulation share: its guests (repair_sim.c) and the host's side of them (repair_sim_host.c). */
#ifndef TESTS_REPAIR_SIM_PRIVATE_H
#define TESTS_REPAIR_SIM_PRIVATE_H

#include "repair_sim.h"

/* The simulated program: a procedure per defect, all called by one, which a handler calls. Stacks have these canonical frame addresses. */
enum {
	PROCEDURE_SIZE = 0x1000, LOCATION = 0x80,
	CALLER = 0x100000, HANDLER = 0x200000, MAIN = 0x300000, AFTERMATH = 0x400000,
	CFA = 0x7000, CALLER_CFA = 0x7100, HANDLER_CFA = 0x7200, MAIN_CFA = 0x7300,
};

static const struct module_key sim_module = {"5130a7e5"};

static inline uint64_t procedure_of(size_t defect)
{
	return (defect + 1) * PROCEDURE_SIZE;
}

/* What the truth table says about a repair's action, for the acted-th time. */
enum sim_outcome sim_outcome_of(const struct sim_defect *d, uint8_t action, unsigned depth, bool has_value, int64_t value, unsigned acted);

struct repair_host sim_host(struct sim *s);

#endif
