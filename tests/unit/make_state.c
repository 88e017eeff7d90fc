/* Prepares a state folder as a run would leave it, for tests of the commands: make_state DIR ELF PID. Two failures in the ELF file's
 * code, one patched, one just detected; process PID is listed as a guest whose supervisor is gone. */
#include "engine/module.h"
#include "node/store.h"
#include "repair/correlate.h"
#include "x86/insn.h"

#include <stdio.h>
#include <stdlib.h>

static struct store *s;
static struct module *m;

static void must(int error)
{
	if (!error)
		return;
	fprintf(stderr, "make_state: %s\n", store_error(s));
	exit(1);
}

static struct point at(uint64_t offset)
{
	return (struct point){m->key, offset};
}

/* The n-th instruction of the largest procedure. */
static uint64_t instruction(unsigned n)
{
	struct range largest = m->ranges[0];
	struct insn insn;
	size_t available;
	for (size_t i = 1; i < m->range_count; i++)
		if (m->ranges[i].end - m->ranges[i].start > largest.end - largest.start)
			largest = m->ranges[i];
	uint64_t offset = largest.start;
	for (; n; n--) {
		const uint8_t *bytes = module_bytes(m, offset, &available);
		if (!bytes || insn_decode(bytes, available, offset, &insn))
			exit(2);
		offset += insn.length;
	}
	return offset;
}

static struct invariant one_of(uint64_t offset)
{
	return (struct invariant){
		.kind = INVARIANT_ONE_OF, .procedure = instruction(0), .count = 2, .value = {0, 1}, .samples = 400,
		.a = {.at = at(offset), .slot = 1, .operand = {.kind = OPERAND_REGISTER, .size = 4, .reg = REG_RAX, .base = REG_NONE, .index = REG_NONE, .scale = 1}},
	};
}

static struct invariant lower_bound(uint64_t offset)
{
	struct invariant i = one_of(offset);
	i.kind = INVARIANT_LOWER_BOUND;
	i.count = 0;
	i.bound = 5;
	i.value[1] = 0;
	i.a.operand.reg = REG_RCX;
	return i;
}

static struct failure failure(uint8_t monitor, int signal, uint64_t offset)
{
	struct failure f = {.monitor = monitor, .signal = signal, .at = at(offset), .rip = 0x555555554000 + offset, .rflags = 0x10246, .depth = 3,
			    .pid = 4242, .tid = 4243, .time_us = 1700000000250000};
	for (unsigned i = 0; i < REG_COUNT; i++)
		f.registers[i] = 0x1111111111111111u * (i % 16);
	f.stack[0] = (struct frame){.at = at(offset), .procedure = instruction(0), .address = f.rip};
	f.stack[1] = (struct frame){.at = at(m->entry), .procedure = m->entry, .address = 0x555555554000 + m->entry};
	f.stack[2] = (struct frame){.address = 0x7ffff7fc1000};
	snprintf(f.facts, sizeof f.facts, "reads 4 bytes at 0x0");
	snprintf(f.program, sizeof f.program, "%s", m->path);
	return f;
}

static void event(uint64_t location, uint64_t patch, const char *kind, const char *text)
{
	static int64_t time_us = 1700000000000000;
	struct event e = {.time_us = time_us += 250000, .location = location, .patch = patch, .pid = 4242};
	snprintf(e.kind, sizeof e.kind, "%s", kind);
	snprintf(e.text, sizeof e.text, "%s", text);
	must(store_event_add(s, &e));
}

static void add_patched(void)
{
	uint64_t offset = instruction(6);
	struct location l = {.monitor = MONITOR_CRASH, .at = at(offset), .state = LOCATION_PATCHED, .presentations = 3, .check_failures = 2,
			     .first_us = 1700000000250000, .last_us = 1700000003250000, .patched_us = 1700000004000000,
			     .last = failure(MONITOR_CRASH, 11, offset)};
	must(store_location_put(s, &l));
	l.last.id = l.id;
	for (int i = 0; i < 3; i++)
		must(store_occurrence_add(s, &l.last, i == 2 ? "survived" : "died"));
	struct check checks[] = {
		{.location = l.id, .invariant = lower_bound(instruction(4)), .satisfied_before_failure = 2, .satisfied_elsewhere = 90, .correlation = CORRELATION_NOT},
		{.location = l.id, .invariant = one_of(instruction(3)), .violated_before_failure = 2, .satisfied_elsewhere = 120, .correlation = CORRELATION_HIGHLY},
	};
	for (size_t i = 0; i < 2; i++)
		must(store_check_put(s, &checks[i]));
	struct patch patches[] = {
		{.failure = l.id, .at = l.at, .guard = GUARD_FAULT, .action = ACTION_SKIP, .state = PATCH_CANDIDATE},
		{.failure = l.id, .at = at(instruction(3)), .guard = GUARD_INVARIANT, .action = ACTION_SET, .has_value = 1, .value = 0,
		 .invariant = one_of(instruction(3)), .state = PATCH_DISCARDED, .failures = 1, .activations = 1},
		{.failure = l.id, .at = at(instruction(3)), .guard = GUARD_INVARIANT, .action = ACTION_SET, .has_value = 1, .value = 1,
		 .invariant = one_of(instruction(3)), .state = PATCH_KEPT, .successes = 4, .activations = 4},
	};
	for (size_t i = 0; i < 3; i++)
		must(store_patch_put(s, &patches[i]));
	event(l.id, 0, "failure", "crash, the first time");
	event(l.id, 2, "patch", "patch 2 tried and discarded");
	event(l.id, 3, "patch", "patch 3 kept");
}

static void add_detected(void)
{
	uint64_t offset = instruction(10);
	struct location l = {.monitor = MONITOR_HEAP, .at = at(offset), .presentations = 1, .first_us = 1700000000250000, .last_us = 1700000000250000,
			     .last = failure(MONITOR_HEAP, 0, offset)};
	must(store_location_put(s, &l));
	event(l.id, 0, "failure", "a write outside its block");
}

int main(int argc, char **argv)
{
	if (argc != 4 || module_open(argv[2], &m) || !m->range_count || store_open(argv[1], &s)) {
		fprintf(stderr, "usage: make_state DIR ELF PID\n");
		return 2;
	}
	must(store_begin(s));
	must(store_module_seen(s, &m->key, m->path));
	struct invariant a = one_of(instruction(3)), b = lower_bound(instruction(4));
	must(store_invariant_put(s, &a));
	must(store_invariant_put(s, &b));
	add_patched();
	add_detected();
	struct guest_row g = {.pid = atoi(argv[3]), .supervisor = 0x3fffffff, .supervisor_start = 1, .since_us = 1700000000000000, .redirected = 7, .patches = 1};
	snprintf(g.program, sizeof g.program, "%s", m->path);
	snprintf(g.detail, sizeof g.detail, "a detail");
	char command[64];
	snprintf(command, sizeof command, "cut -d' ' -f22 /proc/%d/stat", g.pid);
	FILE *p = popen(command, "r");
	if (!p || fscanf(p, "%lu", &g.pid_start) != 1)
		return 2;
	pclose(p);
	must(store_guest_put(s, &g));
	must(store_commit(s));
	store_close(s);
	module_free(m);
	return 0;
}
