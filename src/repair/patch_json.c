#include "repair/patch_json.h"
#include "monitor/failure.h"
#include "repair/invariant_json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DOCUMENT_FORMAT "clearview-patch"
enum { DOCUMENT_VERSION = 1 };

const char *const patch_guard_names[] = {
	[GUARD_ALWAYS] = "always", [GUARD_INVARIANT] = "invariant", [GUARD_FAULT] = "fault", [GUARD_HEAP] = "heap",
};
const char *const patch_action_names[] = {
	[ACTION_SET] = "set", [ACTION_SET_EQUAL] = "set-equal", [ACTION_SKIP] = "skip", [ACTION_RETURN] = "return", [ACTION_DISCARD] = "discard",
	[ACTION_RESTORE] = "restore",
};
const char *const patch_state_names[] = {
	[PATCH_CANDIDATE] = "candidate", [PATCH_TRIED] = "tried", [PATCH_KEPT] = "kept", [PATCH_DISCARDED] = "discarded", [PATCH_DISABLED] = "disabled",
};

/* --- Do the parts go together? */

static bool satisfies(const struct invariant *i, int64_t value)
{
	if (i->kind == INVARIANT_LOWER_BOUND)
		return value >= i->bound;
	for (uint32_t n = 0; n < i->count && n < ONE_OF_MAX; n++)
		if (i->value[n] == value)
			return true;
	return false;
}

static void check_set(struct json_reader *r, const struct patch *p)
{
	if (p->invariant.kind != INVARIANT_ONE_OF && p->invariant.kind != INVARIANT_LOWER_BOUND)
		json_reader_fail(r, "action", "set needs an invariant one-of or lower-bound");
	else if (!p->has_value)
		json_reader_fail(r, "value", "is missing");
	else if (!satisfies(&p->invariant, p->value))
		json_reader_fail(r, "value", "is %lld, which violates the invariant", (long long)p->value);
}

static void check_parts(struct json_reader *r, const struct patch *p)
{
	if ((p->guard == GUARD_INVARIANT) != (p->invariant.kind != INVARIANT_NONE))
		json_reader_fail(r, "invariant", p->guard == GUARD_INVARIANT ? "is missing" : "does not belong to this guard");
	if (p->invariant.kind && strcmp(p->invariant.a.at.module.hex, p->at.module.hex))
		json_reader_fail(r, "invariant.a.at.module", "must be that of the patch");
	if (p->action == ACTION_SET)
		check_set(r, p);
	if (p->action == ACTION_SET_EQUAL && p->invariant.kind != INVARIANT_LESS_THAN)
		json_reader_fail(r, "action", "set-equal needs an invariant less-than");
	if (p->action == ACTION_DISCARD && p->guard != GUARD_HEAP && p->guard != GUARD_FAULT)
		json_reader_fail(r, "action", "discard needs guard heap or fault");
	if (p->action == ACTION_RESTORE && p->guard != GUARD_ALWAYS && p->guard != GUARD_FAULT)
		json_reader_fail(r, "action", "restore needs guard always or fault");
	if (p->has_value && (p->action == ACTION_SET_EQUAL || p->action == ACTION_DISCARD))
		json_reader_fail(r, "value", "does not belong to this action");
	if (p->action == ACTION_RETURN && (p->depth < 1 || p->depth > PATCH_DEPTH_MAX))
		json_reader_fail(r, "depth", "is %d, must be 1 to %d", p->depth, PATCH_DEPTH_MAX);
	if (p->action != ACTION_RETURN && p->depth)
		json_reader_fail(r, "depth", "belongs to return only");
}

int patch_check(const struct patch *p, char *reason, size_t size)
{
	struct json_reader r;
	json_reader_init(&r, reason, size);
	check_parts(&r, p);
	return r.failed ? -EINVAL : 0;
}

/* --- Writing. */

static void set_count(json_t *json, const char *name, uint64_t value)
{
	if (value)
		json_object_set_new(json, name, json_integer(value));
}

json_t *patch_to_json(const struct patch *p)
{
	json_t *json = json_object();
	set_count(json, "id", p->id);
	set_count(json, "failure", p->failure);
	json_object_set_new(json, "at", point_to_json(&p->at));
	json_object_set_new(json, "guard", json_string(p->guard <= GUARD_HEAP ? patch_guard_names[p->guard] : "?"));
	json_object_set_new(json, "action", json_string(p->action <= ACTION_RESTORE ? patch_action_names[p->action] : "?"));
	if (p->has_value)
		json_object_set_new(json, "value", json_integer(p->value));
	if (p->action == ACTION_RETURN)
		json_object_set_new(json, "depth", json_integer(p->depth));
	if (p->invariant.kind)
		json_object_set_new(json, "invariant", invariant_to_json(&p->invariant));
	json_object_set_new(json, "state", json_string(p->state <= PATCH_DISABLED ? patch_state_names[p->state] : "?"));
	if (p->pinned)
		json_object_set_new(json, "pinned", json_true());
	set_count(json, "successes", p->successes);
	set_count(json, "failures", p->failures);
	set_count(json, "activations", p->activations);
	return json;
}

json_t *patch_document_to_json(const struct patch_document *d)
{
	struct patch p = d->patch;
	p.id = p.failure = p.invariant.id = 0;
	return json_pack("{s:s, s:i, s:s, s:o, s:o}", "format", DOCUMENT_FORMAT, "version", DOCUMENT_VERSION, "monitor",
			 d->monitor < MONITOR_COUNT ? monitor_names[d->monitor] : "?", "location", point_to_json(&d->location), "patch",
			 patch_to_json(&p));
}

/* --- Reading. */

static void read_numbers(struct json_reader *r, const json_t *json, struct patch *p)
{
	int64_t id = 0, failure = 0, depth = 0, successes = 0, failures = 0, activations = 0;
	json_number(r, json, "id", false, 0, INT64_MAX, &id);
	json_number(r, json, "failure", false, 0, INT64_MAX, &failure);
	json_number(r, json, "depth", false, 1, PATCH_DEPTH_MAX, &depth);
	json_number(r, json, "successes", false, 0, UINT32_MAX, &successes);
	json_number(r, json, "failures", false, 0, UINT32_MAX, &failures);
	json_number(r, json, "activations", false, 0, INT64_MAX, &activations);
	p->has_value = json_number(r, json, "value", false, INT64_MIN, INT64_MAX, &p->value);
	p->id = id;
	p->failure = failure;
	p->depth = depth;
	p->successes = successes;
	p->failures = failures;
	p->activations = activations;
}

static void read_patch(struct json_reader *r, const json_t *json, struct patch *p)
{
	static const char *const names[] = {"id", "failure", "at", "guard", "action", "value", "depth", "invariant", "state", "pinned",
					    "successes", "failures", "activations", NULL};
	const json_t *part;
	*p = (struct patch){0};
	if (!json || !json_object_begin(r, json, names))
		return;
	if ((part = json_enter(r, json, "at", true))) {
		json_read_point(r, part, &p->at);
		json_leave(r);
	}
	json_name(r, json, "guard", true, patch_guard_names, GUARD_HEAP + 1, &p->guard);
	json_name(r, json, "action", true, patch_action_names, ACTION_RESTORE + 1, &p->action);
	json_name(r, json, "state", false, patch_state_names, PATCH_DISABLED + 1, &p->state);
	p->pinned = json_flag(r, json, "pinned");
	read_numbers(r, json, p);
	if ((part = json_enter(r, json, "invariant", false))) {
		json_read_invariant(r, part, &p->invariant);
		json_leave(r);
	}
	if (!r->failed)
		check_parts(r, p);
}

int patch_from_json(const json_t *json, struct patch *out, char *reason, size_t size)
{
	struct json_reader r;
	json_reader_init(&r, reason, size);
	read_patch(&r, json, out);
	if (!json)
		json_reader_fail(&r, "", "no JSON");
	return r.failed ? -EINVAL : 0;
}

static void read_document(struct json_reader *r, const json_t *json, struct patch_document *d)
{
	static const char *const names[] = {"format", "version", "monitor", "location", "patch", NULL};
	static const char *const formats[] = {DOCUMENT_FORMAT};
	uint8_t format;
	int64_t version;
	const json_t *part;
	if (!json_object_begin(r, json, names))
		return;
	json_name(r, json, "format", true, formats, 1, &format);
	json_number(r, json, "version", true, DOCUMENT_VERSION, DOCUMENT_VERSION, &version);
	json_name(r, json, "monitor", true, monitor_names, MONITOR_COUNT, &d->monitor);
	if ((part = json_enter(r, json, "location", true))) {
		json_read_point(r, part, &d->location);
		json_leave(r);
	}
	if ((part = json_enter(r, json, "patch", true))) {
		read_patch(r, part, &d->patch);
		json_leave(r);
	}
	if (!r->failed && (d->patch.id || d->patch.failure || d->patch.invariant.id))
		json_reader_fail(r, "patch", "has row numbers of another machine");
}

int patch_document_parse(const char *text, size_t length, struct patch_document *out, char *reason, size_t size)
{
	struct json_reader r;
	json_error_t error;
	*out = (struct patch_document){0};
	json_reader_init(&r, reason, size);
	if (length > PATCH_TEXT_MAX) {
		json_reader_fail(&r, "", "larger than %d bytes", PATCH_TEXT_MAX);
		return -EINVAL;
	}
	json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	if (json)
		read_document(&r, json, out);
	else
		json_reader_fail(&r, "", "not JSON (line %d, column %d)", error.line, error.column);
	json_decref(json);
	return r.failed ? -EINVAL : 0;
}
