#include "node/failures.h"

uint64_t failures_fault(struct supervisor *s, struct family *f, pid_t pid, pid_t tid, int signal, uint64_t info, uint64_t context)
{
	return VERDICT_DIE;
}

uint64_t failures_heap(struct supervisor *s, struct family *f, pid_t pid, pid_t tid, const uint64_t arg[6])
{
	return VERDICT_DIE;
}
