/* clearview patches enable, disable, pin, unpin, remove: all of the ids or none, then the supervisors are told. */
#include "cli/patches.h"
#include "cli/guests.h"
#include "cli/json.h"
#include "node/control.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE_MS = 1000 };

static json_t *change_to_json(uint64_t patch, const char *done, bool already)
{
	return json_pack("{s:I, s:s, s:b}", "patch", (json_int_t)patch, "change", done, "already", already);
}

static void print_changes(const json_t *changes)
{
	size_t i;
	json_t *change;
	json_array_foreach(changes, i, change)
		printf("patch %lld %s%s\n", (long long)json_integer_value(json_object_get(change, "patch")),
		       json_is_true(json_object_get(change, "already")) ? "is already " : "",
		       json_string_value(json_object_get(change, "change")));
}

static void print_result(const struct control_result *r, unsigned orphans)
{
	if (r->supervisors)
		printf("in force in %u process%s\n", r->processes, r->processes == 1 ? "" : "es");
	else if (!orphans)
		printf("no guarded process runs now; in force from the next start\n");
}

/* Asking again is harmless: what takes longer than a moment is told on a terminal. */
static int reload(const char *folder, struct control_result *result)
{
	int error = control_reload(folder, PATIENCE_MS, result);
	if (error || result->answered >= result->supervisors)
		return error;
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "waiting for %u supervisor%s ...\n", result->supervisors, result->supervisors == 1 ? "" : "s");
	return control_reload(folder, CONTROL_TIMEOUT_MS - PATIENCE_MS, result);
}

/* The change is stored in any case; 125 when it is not in force everywhere. */
static int complain(int error, const struct control_result *r, unsigned orphans)
{
	if (error)
		log_error("the state is changed, but the supervisors cannot be told (%s): they follow at the next failure or start", strerror(-error));
	if (r->answered < r->supervisors)
		log_error("the state is changed, but %u of %u supervisors did not confirm within %d s: they follow when they come to it",
			  r->supervisors - r->answered, r->supervisors, CONTROL_TIMEOUT_MS / 1000);
	if (orphans)
		log_error("the state is changed, but the supervisor of %u process%s is gone: `clearview adopt` takes them over and puts it in force",
			  orphans, orphans == 1 ? "" : "es");
	return error || orphans || r->answered < r->supervisors ? EXIT_CLEARVIEW : 0;
}

int patches_spread(struct store *s, const struct common *common, json_t *changes)
{
	struct control_result result;
	int error = reload(store_directory(s), &result);
	unsigned orphans = guests_orphaned(s);
	if (common->json) {
		print_json(json_pack("{s:o, s:I, s:I, s:I, s:I}", "changes", changes, "processes", (json_int_t)result.processes, "supervisors",
				     (json_int_t)result.supervisors, "silent", (json_int_t)(result.supervisors - result.answered), "unsupervised",
				     (json_int_t)orphans));
	} else {
		print_changes(changes);
		print_result(&result, orphans);
		json_decref(changes);
	}
	int complaint = complain(error, &result, orphans), written = finish_output();
	return complaint ? complaint : written;
}

static int change_all(struct store *s, const struct patch_action *action, int count, char **operands, json_t *changes)
{
	for (int i = 0; i < count; i++) {
		uint64_t id = parse_id(operands[i]);
		int error = action->operate(s, id);
		if (error && error != -EALREADY)
			return error;
		json_array_append_new(changes, change_to_json(id, action->done, error == -EALREADY));
	}
	return 0;
}

int patches_change(const struct common *common, const struct patch_action *action, int count, char **operands)
{
	if (!count)
		die(EXIT_CLEARVIEW, "patches %s: which? `clearview patches` lists them", action->name);
	json_t *changes = json_array();
	struct store *s = state_open(common);
	state_must(s, store_begin(s));
	state_must(s, change_all(s, action, count, operands, changes));
	state_must(s, store_commit(s));
	int status = patches_spread(s, common, changes);
	store_close(s);
	return status;
}
