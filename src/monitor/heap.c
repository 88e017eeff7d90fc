#include "monitor/heap.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "monitor/locate_private.h"

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000ll + t.tv_nsec / 1000;
}

static const char *size_words(const struct guest_heap_finding *f, char *out, size_t size)
{
	if (f->size != ~0ull)
		snprintf(out, size, "%llu", (unsigned long long)f->size);
	else if (f->usable > HEAP_TRAILER)
		snprintf(out, size, "at most %llu", (unsigned long long)f->usable - HEAP_TRAILER);
	else
		snprintf(out, size, "unknown");
	return out;
}

static void describe(const struct guest_heap_finding *f, const char *when, struct failure *out)
{
	char size[32];
	uint64_t beyond = f->size == ~0ull ? 0 : f->address - f->block - f->size;
	size_words(f, size, sizeof size);
	if (f->kind == HEAP_FREED_TWICE)
		snprintf(out->facts, sizeof out->facts, "double free of heap block %#llx", (unsigned long long)f->address);
	else if (f->kind == HEAP_FREED_INSIDE)
		snprintf(out->facts, sizeof out->facts, "free of an address %llu bytes inside a heap block of %s bytes",
			 (unsigned long long)(f->address - f->block), size);
	else if (beyond)
		snprintf(out->facts, sizeof out->facts, "write %llu bytes beyond the end of a heap block of %s bytes, found %s", (unsigned long long)beyond, size, when);
	else
		snprintf(out->facts, sizeof out->facts, "write beyond the end of a heap block of %s bytes, found %s", size, when);
}

void heap_failure(const struct stack_view *v, const struct guest_heap_finding *f, pid_t pid, pid_t tid, struct cfi_registers *registers, struct failure *out)
{
	struct stack_code call;
	*out = (struct failure){.monitor = MONITOR_HEAP, .fault_address = f->address, .pid = pid, .tid = tid, .time_us = now_us()};
	out->signal = f->kind == HEAP_DAMAGED ? 0 : SIGABRT;
	memcpy(registers->general, f->r, sizeof registers->general);
	registers->rflags = 0;
	registers->rip = stack_call_before(v, f->rip, &call) ? call.bias + call.offset : f->rip;
	memcpy(out->registers, f->r, sizeof out->registers);
	out->rip = registers->rip;
	out->depth = stack_walk(v, registers, out->stack, STACK_DEPTH_MAX);
	out->location_frame = locate_application_frame(v, out);
	out->at = out->stack[out->location_frame].at;
	describe(f, "when it was freed", out);
}

bool heap_scan_failure(const struct stack_view *v, const struct guest_heap_finding *f, const struct heap_site *site, pid_t pid, struct failure *out)
{
	*out = (struct failure){.monitor = MONITOR_HEAP, .fault_address = f->address, .pid = pid, .tid = pid, .time_us = now_us(), .at = site->call};
	struct stack_code code = stack_code_at(v, site->address);
	if (!code.module)
		return false;
	stack_frame(v, &code, 0, &out->stack[0]);
	out->depth = 1;
	out->rip = site->address;
	describe(f, "while it was in use; this is where it was allocated", out);
	return true;
}

/* "write of 8 bytes", as locate_fault.c has it. */
static int access_length(const struct failure *f)
{
	const char *end = strstr(f->facts, " at address");
	return end ? (int)(end - f->facts) : 0;
}

void heap_fault_failure(const struct guest_heap_slot *s, const char *allocated, const char *freed, struct failure *out)
{
	char access[64], facts[sizeof out->facts];
	int length = access_length(out);
	snprintf(access, sizeof access, "%.*s", length ? length : 6, length ? out->facts : "access");
	uint64_t distance = out->fault_address - s->block;
	unsigned long long beyond = distance - s->size, size = s->size;
	if (s->state == HEAP_SLOT_QUARANTINED)
		snprintf(facts, sizeof facts, "%s in a freed heap block of %llu bytes, at its byte %lld, allocated at %s, freed at %s", access, size,
			 (long long)distance, allocated, freed);
	else if ((int64_t)distance < 0)
		snprintf(facts, sizeof facts, "%s, %llu bytes before a heap block of %llu bytes allocated at %s", access, (unsigned long long)-distance, size, allocated);
	else
		snprintf(facts, sizeof facts, "%s, %llu bytes beyond the end of a heap block of %llu bytes allocated at %s", access, beyond, size, allocated);
	out->monitor = MONITOR_HEAP;
	out->location_frame = 0;
	out->at = out->stack[0].at;
	memcpy(out->facts, facts, sizeof facts);
}

bool heap_slot_at(const struct stack_view *v, uint64_t heap, uint64_t address, struct guest_heap_slot *out)
{
	struct { uint64_t directory, slots; } head;
	size_t size = HEAP_SLOTS * sizeof *out;
	bool found = false;
	if (v->read(v->context, heap, &head, sizeof head) != sizeof head || !head.slots)
		return false;
	struct guest_heap_slot *all = malloc(size);
	if (!all)
		abort();
	size_t count = v->read(v->context, head.slots, all, size) / sizeof *all;
	for (size_t i = 0; i < count && !found; i++) {
		found = address >= all[i].start && address < all[i].end && all[i].state >= HEAP_SLOT_GUARDED;
		if (found)
			*out = all[i];
	}
	free(all);
	return found;
}

unsigned heap_classes(const struct guest_heap_finding *f, uint64_t out[2])
{
	enum { ROUNDING = 15 }; /* the allocator's: a canary between the block and its trailer is mostly no longer */
	if (f->size != ~0ull) {
		out[0] = heap_class(f->size);
		return 1;
	}
	if (f->usable <= HEAP_TRAILER || f->usable > HEAP_SIZE_MAX)
		return 0;
	uint64_t most = f->usable - HEAP_TRAILER;
	out[0] = heap_class(most);
	out[1] = heap_class(most > ROUNDING ? most - ROUNDING : 0);
	return out[0] == out[1] ? 1 : 2;
}
