#include "cli/json.h"
#include "repair/correlate.h"
#include "repair/describe.h"
#include "repair/patch_json.h"
#include "repair/rank.h"
#include "repair/settings.h"
#include "x86/registers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *json_time(int64_t time_us)
{
	return time_us ? json_real(time_us / 1e6) : json_null();
}

json_t *json_safe(const char *text)
{
	json_t *json = json_string(text);
	if (json)
		return json;
	char *copy = strdup(text);
	for (char *c = copy; c && *c; c++)
		if (*c & 0x80)
			*c = '?';
	json = json_string(copy ? copy : "");
	free(copy);
	return json;
}

json_t *json_address(uint64_t value)
{
	char text[24];
	snprintf(text, sizeof text, "0x%llx", (unsigned long long)value);
	return json_string(text);
}

json_t *json_point(struct store *s, const struct point *at)
{
	char path[512];
	if (!at->module.hex[0])
		return json_null();
	json_t *json = point_to_json(at);
	if (!store_module_path(s, &at->module, path, sizeof path))
		json_object_set_new(json, "path", json_safe(path));
	return json;
}

static json_t *registers(const struct failure *f)
{
	json_t *json = json_object();
	for (unsigned i = 0; i < REG_COUNT; i++)
		json_object_set_new(json, register_name(i, 8, 0), json_address(f->registers[i]));
	json_object_set_new(json, "rip", json_address(f->rip));
	json_object_set_new(json, "rflags", json_address(f->rflags));
	return json;
}

static json_t *stack(struct store *s, const struct failure *f)
{
	json_t *json = json_array();
	for (unsigned i = 0; i < f->depth && i < STACK_DEPTH_MAX; i++) {
		json_t *frame = json_object();
		json_object_set_new(frame, "at", json_point(s, &f->stack[i].at));
		json_object_set_new(frame, "procedure", json_address(f->stack[i].procedure));
		json_object_set_new(frame, "address", json_address(f->stack[i].address));
		json_array_append_new(json, frame);
	}
	return json;
}

json_t *json_failure(struct store *s, const struct failure *f)
{
	json_t *json = json_object();
	json_object_set_new(json, "time", json_time(f->time_us));
	json_object_set_new(json, "monitor", json_string(f->monitor < MONITOR_COUNT ? monitor_names[f->monitor] : "?"));
	json_object_set_new(json, "signal", json_integer(f->signal));
	json_object_set_new(json, "facts", json_safe(f->facts));
	json_object_set_new(json, "program", json_safe(f->program));
	json_object_set_new(json, "pid", json_integer(f->pid));
	json_object_set_new(json, "tid", json_integer(f->tid));
	json_object_set_new(json, "fault_address", json_address(f->fault_address));
	json_object_set_new(json, "location_frame", json_integer(f->location_frame));
	json_object_set_new(json, "stack", stack(s, f));
	json_object_set_new(json, "registers", registers(f));
	return json;
}

json_t *json_location(struct store *s, const struct location *l)
{
	json_t *json = json_object();
	json_object_set_new(json, "id", json_integer(l->id));
	json_object_set_new(json, "monitor", json_string(monitor_names[l->monitor]));
	json_object_set_new(json, "at", json_point(s, &l->at));
	json_object_set_new(json, "state", json_string(location_state_names[l->state]));
	json_object_set_new(json, "presentations", json_integer(l->presentations));
	json_object_set_new(json, "check_failures", json_integer(l->check_failures));
	json_object_set_new(json, "first", json_time(l->first_us));
	json_object_set_new(json, "last", json_time(l->last_us));
	json_object_set_new(json, "patched", json_time(l->patched_us));
	json_object_set_new(json, "program", json_safe(l->last.program));
	return json;
}

json_t *json_check(const struct check *c)
{
	char text[512];
	json_t *json = json_object();
	json_object_set_new(json, "id", json_integer(c->id));
	json_object_set_new(json, "failure", json_integer(c->location));
	json_object_set_new(json, "correlation", json_string(c->correlation < CORRELATION_COUNT ? correlation_names[c->correlation] : "?"));
	json_object_set_new(json, "violated_before_failure", json_integer(c->violated_before_failure));
	json_object_set_new(json, "satisfied_before_failure", json_integer(c->satisfied_before_failure));
	json_object_set_new(json, "violated_elsewhere", json_integer(c->violated_elsewhere));
	json_object_set_new(json, "satisfied_elsewhere", json_integer(c->satisfied_elsewhere));
	json_object_set_new(json, "invariant", invariant_to_json(&c->invariant));
	json_object_set_new(json, "text", json_string(describe_invariant(&c->invariant, text, sizeof text)));
	return json;
}

json_t *json_patch(const struct patch *p)
{
	char text[512];
	json_t *json = patch_to_json(p);
	json_object_set_new(json, "score", json_integer(rank_score(p, repair_settings_default.bonus)));
	json_object_set_new(json, "text", json_string(describe_patch(p, text, sizeof text)));
	return json;
}

json_t *json_event(const struct event *e)
{
	json_t *json = json_object();
	json_object_set_new(json, "id", json_integer(e->id));
	json_object_set_new(json, "time", json_time(e->time_us));
	json_object_set_new(json, "kind", json_string(e->kind));
	if (e->location)
		json_object_set_new(json, "failure", json_integer(e->location));
	if (e->patch)
		json_object_set_new(json, "patch", json_integer(e->patch));
	if (e->pid)
		json_object_set_new(json, "pid", json_integer(e->pid));
	json_object_set_new(json, "text", json_safe(e->text));
	return json;
}
