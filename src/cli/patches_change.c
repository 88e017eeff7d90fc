/* clearview patches enable, disable, pin, unpin, remove: all of the ids or none, then the supervisors are told. */
#include "cli/patches.h"
#include "cli/json.h"
#include "node/control.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

static void print_result(const struct control_result *r)
{
	if (!r->supervisors)
		printf("no guarded process runs now; in force from the next start\n");
	else
		printf("in force in %u process%s\n", r->processes, r->processes == 1 ? "" : "es");
}

int patches_spread(struct store *s, const struct common *common, json_t *changes)
{
	struct control_result result;
	int error = control_reload(store_directory(s), CONTROL_TIMEOUT_MS, &result);
	if (common->json) {
		print_json(json_pack("{s:o, s:I, s:I, s:I}", "changes", changes, "processes", (json_int_t)result.processes, "supervisors",
				     (json_int_t)result.supervisors, "silent", (json_int_t)(result.supervisors - result.answered)));
	} else {
		print_changes(changes);
		print_result(&result);
		json_decref(changes);
	}
	if (error)
		log_error("the state is changed, but the supervisors cannot be told (%s): they follow at the next failure or start", strerror(-error));
	if (result.answered < result.supervisors)
		log_error("the state is changed, but %u of %u supervisors did not confirm within %d s: they follow when they come to it",
			  result.supervisors - result.answered, result.supervisors, CONTROL_TIMEOUT_MS / 1000);
	int written = finish_output();
	return error || result.answered < result.supervisors ? EXIT_CLEARVIEW : written;
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
