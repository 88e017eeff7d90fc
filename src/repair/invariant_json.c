/* Points, operands, variables and invariants as JSON. What an operand's kind does not use is not written, and set to none when read. */
#include "repair/invariant_json.h"
#include "learn/print.h"
#include "repair/patch_json.h"
#include "x86/registers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define OFFSET_MAX 0x7fffffffffffull /* user space */

static const char *const operand_kind_names[] = {"none", "register", "address", "memory"};
static const char *const segment_names[] = {NULL, "fs", "gs"};

/* --- Writing. */

int json_set_hex(json_t *object, const char *name, uint64_t value)
{
	char text[24];
	snprintf(text, sizeof text, "0x%llx", (unsigned long long)value);
	return json_object_set_new(object, name, json_string(text));
}

json_t *point_to_json(const struct point *at)
{
	json_t *json = json_pack("{s:s}", "module", at->module.hex);
	if (json)
		json_set_hex(json, "offset", at->offset);
	return json;
}

static void set_register(json_t *json, const char *name, uint8_t reg)
{
	if (reg != REG_NONE)
		json_object_set_new(json, name, json_string(register_name(reg, 8, 0)));
}

static json_t *operand_to_json(const struct operand *o)
{
	json_t *json = json_object();
	json_object_set_new(json, "kind", json_string(o->kind <= OPERAND_MEMORY ? operand_kind_names[o->kind] : "?"));
	if (o->kind == OPERAND_NONE)
		return json;
	json_object_set_new(json, "size", json_integer(o->size));
	if (o->kind == OPERAND_REGISTER) {
		set_register(json, "register", o->reg);
		if (o->high_byte)
			json_object_set_new(json, "high_byte", json_true());
		return json;
	}
	set_register(json, "base", o->base);
	set_register(json, "index", o->index);
	if (o->index != REG_NONE)
		json_object_set_new(json, "scale", json_integer(o->scale));
	if (o->segment == SEGMENT_FS || o->segment == SEGMENT_GS)
		json_object_set_new(json, "segment", json_string(segment_names[o->segment]));
	if (o->module_relative)
		json_object_set_new(json, "module_relative", json_true());
	json_object_set_new(json, "displacement", json_integer(o->displacement));
	return json;
}

static json_t *variable_to_json(const struct variable *v)
{
	json_t *json = json_object();
	json_object_set_new(json, "at", point_to_json(&v->at));
	json_object_set_new(json, "slot", json_integer(v->slot));
	json_object_set_new(json, "operand", operand_to_json(&v->operand));
	return json;
}

json_t *invariant_to_json(const struct invariant *i)
{
	json_t *json = json_object(), *values;
	if (i->id)
		json_object_set_new(json, "id", json_integer(i->id));
	json_object_set_new(json, "kind", json_string(i->kind <= INVARIANT_SP_OFFSET ? invariant_kind_names[i->kind] : "?"));
	json_set_hex(json, "procedure", i->procedure);
	json_object_set_new(json, "a", variable_to_json(&i->a));
	if (i->kind == INVARIANT_LESS_THAN)
		json_object_set_new(json, "b", variable_to_json(&i->b));
	if (i->a_is_later)
		json_object_set_new(json, "a_is_later", json_true());
	if (i->kind == INVARIANT_LOWER_BOUND || i->kind == INVARIANT_SP_OFFSET)
		json_object_set_new(json, "bound", json_integer(i->bound));
	if (i->kind == INVARIANT_ONE_OF) {
		json_object_set_new(json, "values", values = json_array());
		for (uint32_t n = 0; n < i->count && n < ONE_OF_MAX; n++)
			json_array_append_new(values, json_integer(i->value[n]));
		if (i->relative)
			json_object_set_new(json, "relative", json_integer(i->relative));
	}
	if (i->samples)
		json_object_set_new(json, "samples", json_integer(i->samples));
	return json;
}

/* --- Reading. */

void json_read_point(struct json_reader *r, const json_t *json, struct point *out)
{
	static const char *const names[] = {"module", "offset", NULL};
	*out = (struct point){0};
	if (!json || !json_object_begin(r, json, names))
		return;
	const char *module = json_text(r, json, "module", true);
	if (!module)
		return;
	const char *digits = strncmp(module, "sha-", 4) ? module : module + 4;
	size_t length = strlen(module);
	if (length >= MODULE_KEY_SIZE || !*digits || digits[strspn(digits, "0123456789abcdef")])
		json_reader_fail(r, "module", "must be a build-id in hexadecimal, or \"sha-\" and a hash");
	else
		memcpy(out->module.hex, module, length);
	json_hex(r, json, "offset", true, OFFSET_MAX, &out->offset);
}

static const char *const *register_names(void)
{
	static const char *names[REG_COUNT];
	for (unsigned i = 0; i < REG_COUNT && !names[REG_COUNT - 1]; i++)
		names[i] = register_name(i, 8, 0);
	return names;
}

static void read_size(struct json_reader *r, const json_t *json, const char *name, uint8_t *out)
{
	int64_t size = 0;
	if (json_number(r, json, name, true, 1, 8, &size) && (size & (size - 1)))
		json_reader_fail(r, name, "is %d, must be 1, 2, 4 or 8", (int)size);
	*out = size;
}

static void read_register_operand(struct json_reader *r, const json_t *json, struct operand *o)
{
	static const char *const names[] = {"kind", "size", "register", "high_byte", NULL};
	if (!json_object_begin(r, json, names))
		return;
	json_name(r, json, "register", true, register_names(), REG_COUNT, &o->reg);
	o->high_byte = json_flag(r, json, "high_byte");
	if (o->high_byte && (o->size != 1 || o->reg > REG_RBX))
		json_reader_fail(r, "high_byte", "must belong to ah, ch, dh or bh");
}

static void read_memory_operand(struct json_reader *r, const json_t *json, struct operand *o)
{
	static const char *const names[] = {"kind", "size", "base", "index", "scale", "segment", "module_relative", "displacement", NULL};
	if (!json_object_begin(r, json, names))
		return;
	json_name(r, json, "base", false, register_names(), REG_COUNT, &o->base);
	json_name(r, json, "index", false, register_names(), REG_COUNT, &o->index);
	json_name(r, json, "segment", false, segment_names, 3, &o->segment);
	o->module_relative = json_flag(r, json, "module_relative");
	bool registers = o->base != REG_NONE || o->index != REG_NONE;
	if (o->index == REG_RSP)
		json_reader_fail(r, "index", "must not be rsp");
	if (o->index != REG_NONE)
		read_size(r, json, "scale", &o->scale);
	else if (json_object_get(json, "scale"))
		json_reader_fail(r, "scale", "needs an index");
	if (o->module_relative && registers)
		json_reader_fail(r, "module_relative", "excludes base and index");
	if (o->module_relative)
		json_number(r, json, "displacement", true, 0, OFFSET_MAX, &o->displacement);
	else
		json_number(r, json, "displacement", true, registers ? INT32_MIN : INT64_MIN, registers ? INT32_MAX : INT64_MAX, &o->displacement);
}

static void read_operand(struct json_reader *r, const json_t *json, struct operand *o)
{
	static const char *const all[] = {"kind", "size", "register", "high_byte", "base", "index", "scale", "segment", "module_relative",
					  "displacement", NULL};
	static const char *const none[] = {"kind", NULL};
	*o = (struct operand){.base = REG_NONE, .index = REG_NONE, .reg = REG_NONE, .scale = 1};
	if (!json || !json_object_begin(r, json, all) || !json_name(r, json, "kind", true, operand_kind_names, 4, &o->kind))
		return;
	if (o->kind == OPERAND_NONE) {
		json_object_begin(r, json, none);
		return;
	}
	read_size(r, json, "size", &o->size);
	if (o->kind == OPERAND_REGISTER)
		read_register_operand(r, json, o);
	else
		read_memory_operand(r, json, o);
}

static void read_variable(struct json_reader *r, const json_t *json, struct variable *v)
{
	static const char *const names[] = {"at", "slot", "operand", NULL};
	int64_t slot = 0;
	const json_t *part;
	if (!json_object_begin(r, json, names))
		return;
	if ((part = json_enter(r, json, "at", true))) {
		json_read_point(r, part, &v->at);
		json_leave(r);
	}
	json_number(r, json, "slot", true, 0, SLOT_RETURN, &slot);
	v->slot = slot;
	if ((part = json_enter(r, json, "operand", true))) {
		read_operand(r, part, &v->operand);
		json_leave(r);
	}
}

static void read_values(struct json_reader *r, const json_t *json, struct invariant *i)
{
	size_t count = json_array_size(json);
	if (r->failed)
		return;
	if (count < 1 || count > ONE_OF_MAX) {
		json_reader_fail(r, "", "must be an array of 1 to %d numbers", ONE_OF_MAX);
		return;
	}
	for (size_t n = 0; n < count; n++) {
		if (!json_is_integer(json_array_get(json, n)))
			json_reader_fail(r, "", "must be whole numbers");
		i->value[n] = json_integer_value(json_array_get(json, n));
		bool alike = n && (i->relative >> (n - 1) & 1) == (i->relative >> n & 1);
		if (n && (i->value[n - 1] > i->value[n] || (alike && i->value[n - 1] == i->value[n])))
			json_reader_fail(r, "", "must ascend");
	}
	i->count = count;
}

/* Members that go with the kind. relative: bit k: the k-th value is an offset in a's module. */
static void read_kind(struct json_reader *r, const json_t *json, struct invariant *i)
{
	static const struct {
		const char *name;
		bool one_of, lower_bound, less_than, sp_offset;
	} members[] = {
		{"values", .one_of = true},
		{"relative", .one_of = true},
		{"bound", .lower_bound = true, .sp_offset = true},
		{"b", .less_than = true},
		{"a_is_later", .less_than = true},
	};
	for (size_t n = 0; n < sizeof members / sizeof *members; n++) {
		const bool belongs[] = {false, members[n].one_of, members[n].lower_bound, members[n].less_than, members[n].sp_offset};
		if (!belongs[i->kind] && json_object_get(json, members[n].name))
			json_reader_fail(r, members[n].name, "does not belong to %s", invariant_kind_names[i->kind]);
	}
	const json_t *part;
	int64_t relative = 0;
	json_number(r, json, "relative", false, 0, (1 << ONE_OF_MAX) - 1, &relative);
	i->relative = relative;
	i->a_is_later = json_flag(r, json, "a_is_later");
	if (i->kind == INVARIANT_ONE_OF && (part = json_enter(r, json, "values", true))) {
		read_values(r, part, i);
		json_leave(r);
		if (i->relative >> i->count)
			json_reader_fail(r, "relative", "is %d, more bits than values", i->relative);
	} else if (i->kind == INVARIANT_LESS_THAN && (part = json_enter(r, json, "b", true))) {
		read_variable(r, part, &i->b);
		if (strcmp(i->b.at.module.hex, i->a.at.module.hex))
			json_reader_fail(r, "at.module", "must be that of a");
		json_leave(r);
	} else if (i->kind == INVARIANT_LOWER_BOUND || i->kind == INVARIANT_SP_OFFSET) {
		json_number(r, json, "bound", true, INT64_MIN, INT64_MAX, &i->bound);
	}
}

void json_read_invariant(struct json_reader *r, const json_t *json, struct invariant *out)
{
	static const char *const names[] = {"id", "kind", "procedure", "a", "b", "bound", "values", "relative", "a_is_later", "samples", NULL};
	int64_t id = 0, samples = 0;
	const json_t *part;
	*out = (struct invariant){0};
	if (!json || !json_object_begin(r, json, names))
		return;
	if (json_name(r, json, "kind", true, invariant_kind_names, INVARIANT_SP_OFFSET + 1, &out->kind) && out->kind == INVARIANT_NONE)
		json_reader_fail(r, "kind", "must not be none");
	json_number(r, json, "id", false, 0, INT64_MAX, &id);
	json_number(r, json, "samples", false, 0, INT64_MAX, &samples);
	out->id = id;
	out->samples = samples;
	json_hex(r, json, "procedure", true, OFFSET_MAX, &out->procedure);
	if ((part = json_enter(r, json, "a", true))) {
		read_variable(r, part, &out->a);
		json_leave(r);
	}
	if (!r->failed)
		read_kind(r, json, out);
}

int invariant_from_json(const json_t *json, struct invariant *out, char *reason, size_t size)
{
	struct json_reader r;
	json_reader_init(&r, reason, size);
	json_read_invariant(&r, json, out);
	if (!json)
		json_reader_fail(&r, "", "no JSON");
	return r.failed ? -EINVAL : 0;
}
