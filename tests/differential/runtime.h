/* What a differential program writes: one record whenever it looks at its state. The same layout is read by `run`. */
#ifndef RUNTIME_H
#define RUNTIME_H

#include <stdint.h>

enum record_kind { RECORD_CHECKPOINT = 1, RECORD_FAULT, RECORD_END };

struct record {
	uint32_t number;   /* of the case */
	uint16_t kind;     /* enum record_kind */
	uint16_t signal;
	uint64_t r[16];    /* hardware numbering */
	uint64_t rip, flags;
	uint64_t code, address, error; /* siginfo's code and address; the fault's error code and vector */
	uint64_t vectors, memory, stack; /* hashes: x87 and vector state; the data area; the stack from rsp up */
};

#endif
