/* What goes into the store comes out again, whole; identities, cascades, nesting transactions. */
#include "state_folder.h"
#include "assert_rows.h"

#include <errno.h>
#include <sched.h>
#include <sys/wait.h>

static void assert_failure(const struct failure *a, const struct failure *b)
{
	assert_int_equal(a->monitor, b->monitor);
	assert_int_equal(a->signal, b->signal);
	assert_int_equal(point_compare(&a->at, &b->at), 0);
	assert_true(a->fault_address == b->fault_address && a->rip == b->rip && a->rflags == b->rflags);
	assert_memory_equal(a->registers, b->registers, sizeof a->registers);
	assert_int_equal(a->depth, b->depth);
	assert_memory_equal(a->stack, b->stack, a->depth * sizeof *a->stack); /* has no padding */
	assert_int_equal(a->location_frame, b->location_frame);
	assert_string_equal(a->facts, b->facts);
	assert_string_equal(a->program, b->program);
	assert_true(a->pid == b->pid && a->tid == b->tid && a->time_us == b->time_us);
}

static int keep_invariant(void *context, const struct invariant *i)
{
	VEC(struct invariant) *list = context;
	vec_push(list, *i);
	return 0;
}

static void invariants_are_replaced_by_identity(void **state)
{
	struct store *s = state_open(*state);
	struct invariant i = state_one_of("aa", 0x1010), other = state_one_of("ab", 0x1010);
	VEC(struct invariant) list = {0};
	assert_int_equal(store_invariant_put(s, &i), 0);
	uint64_t id = i.id;
	i.samples = 99;
	i.value[2] = 8;
	i.id = 0;
	assert_int_equal(store_invariant_put(s, &i), 0);
	assert_true(i.id == id && id);
	assert_int_equal(store_invariant_put(s, &other), 0);
	assert_int_equal(store_invariants(s, NULL, NULL, keep_invariant, &list), 0);
	assert_int_equal(list.count, 2);
	assert_invariant_equal(&list.at[0], &i);
	list.count = 0;
	assert_int_equal(store_invariants(s, "ab", &(uint64_t){0x1010}, keep_invariant, &list), 0);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.at[0].a.at.module.hex, "ab");
	list.count = 0;
	assert_int_equal(store_invariants(s, "a", &(uint64_t){0x1011}, keep_invariant, &list), 0);
	assert_int_equal(list.count, 0);
	assert_int_equal(store_invariants_of_procedure(s, &i.a.at.module, 0x1000, keep_invariant, &list), 0);
	assert_int_equal(list.count, 1);
	assert_int_equal(store_invariant_delete(s, id), 0);
	assert_int_equal(store_invariant_delete(s, id), -ENOENT);
	vec_free(&list);
	store_close(s);
}

static int stop_visit(void *context, const struct invariant *i)
{
	++*(int *)context;
	return 42;
}

static void a_visitor_ends_the_walk(void **state)
{
	struct store *s = state_open(*state);
	int visits = 0;
	for (uint64_t n = 0; n < 3; n++) {
		struct invariant i = state_one_of("aa", n);
		assert_int_equal(store_invariant_put(s, &i), 0);
	}
	assert_int_equal(store_invariants(s, NULL, NULL, stop_visit, &visits), 42);
	assert_int_equal(visits, 1);
	store_close(s);
}

static int delete_visit(void *context, const struct invariant *i)
{
	return store_invariant_delete(context, i->id);
}

static void a_visitor_may_delete(void **state)
{
	struct store *s = state_open(*state);
	VEC(struct invariant) list = {0};
	for (uint64_t n = 0; n < 50; n++) {
		struct invariant i = state_one_of("aa", n);
		assert_int_equal(store_invariant_put(s, &i), 0);
	}
	assert_int_equal(store_invariants(s, NULL, NULL, delete_visit, s), 0);
	assert_int_equal(store_invariants(s, NULL, NULL, keep_invariant, &list), 0);
	assert_int_equal(list.count, 0);
	store_close(s);
}

static int keep_state(void *context, const struct module_key *module, uint64_t procedure, const void *data, size_t size)
{
	snprintf(context, 64, "%s+%llx %.*s", module->hex, (unsigned long long)procedure, (int)size, (const char *)data);
	return 0;
}

static void procedure_states_are_opaque(void **state)
{
	struct store *s = state_open(*state);
	struct point at = state_point("c0ffee", 0);
	char text[64];
	void *data;
	size_t size;
	assert_int_equal(store_procedure_state_get(s, &at.module, 0x20, &data, &size), -ENOENT);
	assert_int_equal(store_procedure_state_put(s, &at.module, 0x20, "ab\0cd", 5), 0);
	assert_int_equal(store_procedure_state_put(s, &at.module, 0x20, "wxyz", 4), 0);
	assert_int_equal(store_procedure_state_get(s, &at.module, 0x20, &data, &size), 0);
	assert_int_equal(size, 4);
	assert_memory_equal(data, "wxyz", 4);
	free(data);
	assert_int_equal(store_procedure_states(s, keep_state, text), 0);
	assert_string_equal(text, "c0ffee+20 wxyz");
	store_close(s);
}

static int keep_occurrence(void *context, const struct failure *f, const char *outcome)
{
	struct failure *out = context;
	if (!out->depth)
		*out = *f;
	return strcmp(outcome, "died");
}

static void locations_keep_their_failure(void **state)
{
	struct store *s = state_open(*state);
	struct location l = state_location("aa", 0x1234), got;
	struct failure seen = {0};
	assert_int_equal(store_location_find(s, l.monitor, &l.at, &got), -ENOENT);
	assert_int_equal(store_location_put(s, &l), 0);
	assert_int_equal(store_location_find(s, l.monitor, &l.at, &got), 0);
	assert_int_equal(got.id, l.id);
	l.state = LOCATION_PATCHED;
	l.presentations = 4;
	l.patched_us = 77;
	l.last.id = l.id;
	l.last.time_us++;
	assert_int_equal(store_location_put(s, &l), 0);
	assert_int_equal(store_location_get(s, l.id, &got), 0);
	assert_int_equal(got.state, LOCATION_PATCHED);
	assert_true(got.presentations == 4 && got.check_failures == 1 && got.patched_us == 77 && got.first_us == 5);
	assert_failure(&got.last, &l.last);
	assert_int_equal(store_occurrence_add(s, &l.last, "died"), 0);
	assert_int_equal(store_occurrences(s, l.id, keep_occurrence, &seen), 0);
	assert_failure(&seen, &l.last);
	assert_int_equal(store_location_get(s, l.id + 1, &got), -ENOENT);
	assert_non_null(strstr(store_error(s), "clearview failures"));
	store_close(s);
}

static void one_location_a_point(void **state)
{
	struct store *s = state_open(*state);
	struct location a = state_location("aa", 1), b = state_location("aa", 1);
	assert_int_equal(store_location_put(s, &a), 0);
	assert_int_equal(store_location_put(s, &b), -EINVAL);
	b.monitor = MONITOR_HEAP;
	assert_int_equal(store_location_put(s, &b), 0);
	store_close(s);
}

static int count_check(void *context, const struct check *c)
{
	++*(int *)context;
	assert_int_equal(c->invariant.id, 5);
	return c->violated_before_failure == 1 && c->satisfied_elsewhere == 1ull << 40 && c->correlation == 3 ? 0 : -1;
}

static int count_patch(void *context, const struct patch *p)
{
	++*(int *)context;
	return 0;
}

static void a_location_takes_its_rows_along(void **state)
{
	struct store *s = state_open(*state);
	struct location l = state_location("aa", 0x1234);
	int checks = 0, patches = 0;
	assert_int_equal(store_location_put(s, &l), 0);
	struct check c = {.location = l.id, .invariant = state_one_of("aa", 0x1230), .violated_before_failure = 0, .satisfied_elsewhere = 1ull << 40};
	c.invariant.id = 5;
	assert_int_equal(store_check_put(s, &c), 0);
	c.violated_before_failure = 1;
	c.correlation = 3;
	assert_int_equal(store_check_put(s, &c), 0);
	struct patch p = {.failure = l.id, .at = l.at, .guard = GUARD_FAULT, .action = ACTION_SKIP}, loose = {.at = l.at};
	assert_int_equal(store_patch_put(s, &p), 0);
	assert_int_equal(store_patch_put(s, &loose), 0);
	assert_int_equal(store_checks(s, l.id, count_check, &checks), 0);
	assert_int_equal(store_patches(s, l.id, count_patch, &patches), 0);
	assert_true(checks == 1 && patches == 1);
	assert_int_equal(store_location_delete(s, l.id), 0);
	assert_int_equal(store_patches(s, 0, count_patch, &patches), 0);
	assert_int_equal(store_checks(s, 0, count_check, &checks), 0);
	assert_true(checks == 1 && patches == 2); /* the loose one was left */
	store_close(s);
}

static void patches_count_and_stay_removed(void **state)
{
	struct store *s = state_open(*state);
	struct patch p = {.at = state_point("aa", 0x10), .guard = GUARD_INVARIANT, .action = ACTION_SET, .has_value = 1, .value = INT64_MIN,
			  .invariant = state_one_of("aa", 0x10), .state = PATCH_TRIED, .pinned = 1}, got;
	assert_int_equal(store_patch_put(s, &p), 0);
	assert_int_equal(store_patch_count(s, p.id, 1, 2, UINT32_MAX + 3ull), 0);
	assert_int_equal(store_patch_count(s, p.id, 1, 0, 0), 0);
	assert_int_equal(store_patch_get(s, p.id, &got), 0);
	assert_true(got.successes == 2 && got.failures == 2 && got.activations == UINT32_MAX + 3ull);
	got.successes = got.failures = got.activations = 0;
	assert_patch_equal(&got, &p);
	assert_int_equal(store_patch_delete(s, p.id), 0);
	assert_int_equal(store_patch_put(s, &p), -ENOENT);
	assert_int_equal(store_patch_get(s, p.id, &got), -ENOENT);
	struct patch next = p;
	next.id = 0;
	assert_int_equal(store_patch_put(s, &next), 0);
	assert_true(next.id > p.id); /* ids are not used again */
	next.action = 99;
	assert_int_equal(store_patch_put(s, &next), -EINVAL);
	store_close(s);
}

static int keep_event(void *context, const struct event *e)
{
	*(struct event *)context = *e;
	return 0;
}

static void events_go_on(void **state)
{
	struct store *s = state_open(*state);
	struct event e = {.kind = "failure", .location = 3, .patch = 4, .pid = 5, .text = "a text"}, last = {0};
	assert_int_equal(store_event_add(s, &e), 0);
	e.time_us = 123;
	assert_int_equal(store_event_add(s, &e), 0);
	assert_int_equal(store_events(s, 0, keep_event, &last), 0);
	assert_true(last.id == 2 && last.time_us == 123 && last.location == 3 && last.patch == 4 && last.pid == 5);
	assert_string_equal(last.text, "a text");
	last.id = 0;
	assert_int_equal(store_events(s, 2, keep_event, &last), 0);
	assert_int_equal(last.id, 0);
	e.location = 9;
	assert_int_equal(store_event_add(s, &e), 0);
	assert_int_equal(store_events_of(s, NULL, 3, 0, true, keep_event, &last), 0);
	assert_int_equal(last.id, 1);
	assert_int_equal(store_events_of(s, "failure", 0, 4, false, keep_event, &last), 0);
	assert_int_equal(last.id, 3);
	last.id = 0;
	assert_int_equal(store_events_of(s, "patch", 0, 0, false, keep_event, &last), 0);
	assert_int_equal(store_events_of(s, NULL, 3, 5, false, keep_event, &last), 0);
	assert_int_equal(last.id, 0);
	store_close(s);
}

static int keep_guest(void *context, const struct guest_row *g)
{
	*(struct guest_row *)context = *g;
	return 0;
}

static void guests_are_keyed_by_pid(void **state)
{
	struct store *s = state_open(*state);
	struct guest_row g = {.pid = 9, .supervisor = 8, .pid_start = 7, .supervisor_start = 6, .since_us = 5, .redirected = 4, .native_refused = 3,
			      .patches = 2, .program = "/bin/p", .detail = "line\nline"}, got;
	assert_int_equal(store_guest_put(s, &g), 0);
	g.patches = 1;
	assert_int_equal(store_guest_put(s, &g), 0);
	assert_int_equal(store_guests(s, keep_guest, &got), 0);
	assert_true(got.pid == 9 && got.supervisor == 8 && got.pid_start == 7 && got.supervisor_start == 6 && got.since_us == 5);
	assert_true(got.redirected == 4 && got.native_refused == 3 && got.patches == 1);
	assert_string_equal(got.program, g.program);
	assert_string_equal(got.detail, g.detail);
	assert_int_equal(store_guest_delete(s, 9), 0);
	assert_int_equal(store_guest_delete(s, 9), -ENOENT);
	store_close(s);
}

/* A process in a new pid namespace, where numbers begin anew. */
static int put_inside(const struct state_folder *folder, const struct guest_row *g)
{
	int status = 0;
	pid_t child = fork();
	if (!child) {
		pid_t first = unshare(CLONE_NEWPID) ? -1 : fork();
		if (!first) {
			struct store *s = state_open(folder);
			_exit(store_guest_put(s, g) ? 1 : 0);
		}
		_exit(first < 0 ? 77 : waitpid(first, &status, 0) == first ? WEXITSTATUS(status) : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WEXITSTATUS(status);
}

static int list_guest(void *context, const struct guest_row *g)
{
	strcat(context, g->program);
	return 0;
}

static void pids_of_other_namespaces_are_others(void **state)
{
	struct guest_row outside = {.pid = 9, .program = "outside"}, inside = {.pid = 9, .program = "inside"}, also = {.pid = 10, .program = "inside"};
	char seen[64] = "";
	struct store *s = state_open(*state);
	assert_int_equal(store_guest_put(s, &outside), 0);
	int status = put_inside(*state, &inside);
	if (status == 77) /* not allowed to */
		skip();
	assert_int_equal(status, 0);
	assert_int_equal(put_inside(*state, &also), 0);
	assert_int_equal(store_guests(s, list_guest, seen), 0);
	assert_string_equal(seen, "outside");
	assert_int_equal(store_guest_delete(s, 10), -ENOENT);
	store_close(s);
}

static int count_location(void *context, const struct location *l)
{
	++*(unsigned *)context;
	return 0;
}

static int count_occurrence(void *context, const struct failure *f, const char *outcome)
{
	++*(unsigned *)context;
	return 0;
}

/* Whoever forges failures can't fill the disk; what is patched stays. */
static void failures_are_bounded(void **state)
{
	enum { FORGED = 2300, KEPT = 2000, AT_ONE = 1200, KEPT_AT_ONE = 1000 };
	struct store *s = state_open(*state);
	struct location patched = state_location("aa", 1), got;
	unsigned locations = 0, occurrences = 0;
	patched.state = LOCATION_PATCHED;
	patched.last_us = 1;
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(store_location_put(s, &patched), 0);
	for (unsigned i = 2; i < FORGED; i++) {
		struct location l = state_location("aa", i);
		l.last_us = i;
		assert_int_equal(store_location_put(s, &l), 0);
		got = l;
	}
	for (unsigned i = 0; i < AT_ONE; i++) {
		got.last.id = got.id;
		assert_int_equal(store_occurrence_add(s, &got.last, "died"), 0);
	}
	assert_int_equal(store_occurrences(s, got.id, count_occurrence, &occurrences), 0);
	assert_int_equal(occurrences, KEPT_AT_ONE);
	assert_int_equal(store_locations(s, count_location, &locations), 0);
	assert_int_equal(locations, KEPT + 1);
	assert_int_equal(store_location_get(s, patched.id, &got), 0);
	assert_int_equal(store_commit(s), 0);
	store_close(s);
}

static int module_names(void *context, const struct module_key *key, const char *path)
{
	snprintf(context, 64, "%s=%s", key->hex, path);
	return 0;
}

static void modules_keep_the_last_path(void **state)
{
	struct store *s = state_open(*state);
	struct point at = state_point("beef", 0);
	char path[64];
	assert_int_equal(store_module_path(s, &at.module, path, sizeof path), -ENOENT);
	assert_int_equal(store_module_seen(s, &at.module, "/lib/a.so"), 0);
	assert_int_equal(store_module_seen(s, &at.module, "/lib/b.so"), 0);
	assert_int_equal(store_module_path(s, &at.module, path, sizeof path), 0);
	assert_string_equal(path, "/lib/b.so");
	assert_int_equal(store_modules(s, module_names, path), 0);
	assert_string_equal(path, "beef=/lib/b.so");
	store_close(s);
}

static int count_invariants(struct store *s)
{
	VEC(struct invariant) list = {0};
	assert_int_equal(store_invariants(s, NULL, NULL, keep_invariant, &list), 0);
	int count = list.count;
	vec_free(&list);
	return count;
}

static void transactions_nest(void **state)
{
	struct store *s = state_open(*state);
	struct invariant a = state_one_of("aa", 1), b = state_one_of("bb", 2), c = state_one_of("bb", 3);
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(store_invariant_put(s, &a), 0);
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(store_invariant_put(s, &b), 0);
	store_rollback(s);
	assert_int_equal(store_invariant_put(s, &c), 0); /* its module's row went with the rollback */
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(count_invariants(s), 2);
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(store_invariant_delete(s, a.id), 0);
	store_rollback(s);
	store_rollback(s); /* nothing to roll back */
	assert_int_equal(count_invariants(s), 2);
	assert_int_equal(store_commit(s), -EINVAL);
	store_close(s);
}

static void the_version_tells_of_others(void **state)
{
	struct store *a = state_open(*state), *b = state_open(*state);
	struct invariant i = state_one_of("aa", 1);
	uint64_t before = store_version(a);
	assert_true(store_version(a) == before);
	assert_int_equal(store_invariant_put(b, &i), 0);
	assert_true(store_version(a) != before);
	assert_int_equal(count_invariants(a), 1);
	store_close(a);
	store_close(b);
}

static void the_folder_follows_the_rules(void **state)
{
	char path[256];
	setenv("HOME", "/home/u", 1);
	unsetenv("CLEARVIEW_STATE");
	unsetenv("XDG_STATE_HOME");
	assert_int_equal(store_folder_path(NULL, path, sizeof path), 0);
	assert_string_equal(path, "/home/u/.local/state/clearview");
	setenv("XDG_STATE_HOME", "relative", 1);
	assert_int_equal(store_folder_path(NULL, path, sizeof path), 0);
	assert_string_equal(path, "/home/u/.local/state/clearview");
	setenv("XDG_STATE_HOME", "/x", 1);
	assert_int_equal(store_folder_path("", path, sizeof path), 0);
	assert_string_equal(path, "/x/clearview");
	setenv("CLEARVIEW_STATE", "/own", 1);
	assert_int_equal(store_folder_path(NULL, path, sizeof path), 0);
	assert_string_equal(path, "/own");
	assert_int_equal(store_folder_path("given", path, sizeof path), 0);
	assert_string_equal(path, "given");
	assert_int_equal(store_folder_path("given", path, 3), -ENAMETOOLONG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, state_setup, state_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(invariants_are_replaced_by_identity), TEST(a_visitor_ends_the_walk), TEST(a_visitor_may_delete), TEST(procedure_states_are_opaque),
		TEST(locations_keep_their_failure), TEST(one_location_a_point), TEST(a_location_takes_its_rows_along),
		TEST(patches_count_and_stay_removed), TEST(events_go_on), TEST(guests_are_keyed_by_pid), TEST(pids_of_other_namespaces_are_others),
		TEST(failures_are_bounded), TEST(modules_keep_the_last_path),
		TEST(transactions_nest), TEST(the_version_tells_of_others), TEST(the_folder_follows_the_rules),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
