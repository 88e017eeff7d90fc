/* Patches and invariants survive the way through JSON; what is malformed is refused with the member's name. */
#include "repair/patch_json.h"
#include "assert_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct variable variable(uint64_t offset, uint8_t slot, struct operand operand)
{
	return (struct variable){.at = {.module = {"c0ffee"}, .offset = offset}, .slot = slot, .operand = operand};
}

static const struct operand in_register = {.kind = OPERAND_REGISTER, .size = 1, .reg = REG_RBX, .high_byte = 1, .base = REG_NONE, .index = REG_NONE, .scale = 1};
static const struct operand in_memory = {.kind = OPERAND_MEMORY, .size = 4, .reg = REG_NONE, .base = REG_R13, .index = REG_RDI, .scale = 8,
					 .segment = SEGMENT_FS, .displacement = INT32_MIN};
static const struct operand in_module = {.kind = OPERAND_ADDRESS, .size = 8, .reg = REG_NONE, .base = REG_NONE, .index = REG_NONE, .scale = 1,
					 .module_relative = 1, .displacement = 0x7fffffffffff};

static struct invariant one_of(void)
{
	return (struct invariant){.id = 9, .kind = INVARIANT_ONE_OF, .procedure = 0x400, .a = variable(0x410, 0, in_register), .count = 3,
				  .value = {INT64_MIN, 0, INT64_MAX}, .relative = 2, .samples = 1ull << 40};
}

static struct invariant lower_bound(void)
{
	return (struct invariant){.kind = INVARIANT_LOWER_BOUND, .procedure = 0x400, .a = variable(0x410, 1, in_memory), .bound = -5};
}

static struct invariant less_than(void)
{
	return (struct invariant){.kind = INVARIANT_LESS_THAN, .procedure = 0x400, .a = variable(0x410, SLOT_ADDRESS + 1, in_module),
				  .b = variable(0x414, SLOT_RETURN, in_memory), .a_is_later = 1};
}

static struct patch patch(struct invariant i, uint8_t action)
{
	return (struct patch){.id = 3, .failure = 4, .at = i.a.at, .guard = GUARD_INVARIANT, .action = action, .invariant = i, .state = PATCH_KEPT,
			      .pinned = 1, .successes = UINT32_MAX, .failures = 1, .activations = INT64_MAX};
}

static void assert_round_trip(const struct patch *p)
{
	struct patch got;
	char reason[256];
	json_t *json = patch_to_json(p);
	char *text = json_dumps(json, 0);
	json_t *again = json_loads(text, 0, NULL);
	if (patch_from_json(again, &got, reason, sizeof reason))
		fail_msg("%s: %s", reason, text);
	assert_patch_equal(p, &got);
	json_decref(json);
	json_decref(again);
	free(text);
}

static void round_trips(void **state)
{
	struct patch set = patch(one_of(), ACTION_SET), bound = patch(lower_bound(), ACTION_SET), equal = patch(less_than(), ACTION_SET_EQUAL);
	struct patch skip = patch(one_of(), ACTION_SKIP), leave = patch(lower_bound(), ACTION_RETURN);
	struct patch fault = {.at = set.at, .guard = GUARD_FAULT, .action = ACTION_SKIP, .has_value = 1, .value = -1};
	struct patch discard = {.at = set.at, .guard = GUARD_HEAP, .action = ACTION_DISCARD, .state = PATCH_DISABLED};
	struct patch always = {.at = set.at, .guard = GUARD_ALWAYS, .action = ACTION_RETURN, .depth = PATCH_DEPTH_MAX};
	set.has_value = bound.has_value = leave.has_value = leave.depth = 1;
	set.value = INT64_MAX;
	bound.value = -5;
	const struct patch *all[] = {&set, &bound, &equal, &skip, &leave, &fault, &discard, &always};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		assert_round_trip(all[i]);
}

static void invariants_alone(void **state)
{
	struct invariant sp = {.kind = INVARIANT_SP_OFFSET, .procedure = 1, .bound = 56, .a = variable(2, SLOT_STACK, (struct operand){
			.kind = OPERAND_REGISTER, .size = 8, .reg = REG_RSP, .base = REG_NONE, .index = REG_NONE, .scale = 1})};
	struct invariant all[] = {one_of(), lower_bound(), less_than(), sp}, got;
	char reason[256];
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		json_t *json = invariant_to_json(&all[i]);
		assert_int_equal(invariant_from_json(json, &got, reason, sizeof reason), 0);
		assert_invariant_equal(&all[i], &got);
		json_decref(json);
	}
}

/* A document with one place changed. */
#define POINT "{\"module\":\"c0ffee\",\"offset\":\"0x10\"}"
#define REGISTER "{\"kind\":\"register\",\"size\":8,\"register\":\"rax\"}"
#define A(operand) "{\"at\":" POINT ",\"slot\":1,\"operand\":" operand "}"
#define INVARIANT(operand) "{\"kind\":\"lower-bound\",\"procedure\":\"0x10\",\"bound\":5,\"a\":" A(operand) "}"
#define PATCH(guard, action, more) "{\"at\":" POINT ",\"guard\":\"" guard "\",\"action\":\"" action "\"" more "}"
#define DOCUMENT_OF(monitor, patch) \
	"{\"format\":\"clearview-patch\",\"version\":1,\"monitor\":\"" monitor "\",\"location\":" POINT ",\"patch\":" patch "}"
#define DOCUMENT(patch) DOCUMENT_OF("crash", patch)
#define GUARDED(operand) DOCUMENT(PATCH("invariant", "set", ",\"value\":5,\"invariant\":" INVARIANT(operand)))
#define MEMORY(more) "{\"kind\":\"memory\",\"size\":4," more "}"

static void accepted(void **state)
{
	static const char *const documents[] = {
		DOCUMENT(PATCH("fault", "skip", "")),
		DOCUMENT(PATCH("fault", "return", ",\"depth\":1,\"value\":0,\"state\":\"kept\",\"pinned\":false")),
		GUARDED(REGISTER),
		GUARDED(MEMORY("\"base\":\"rsp\",\"displacement\":-8")),
		GUARDED(MEMORY("\"module_relative\":true,\"displacement\":4096")),
	};
	struct patch_document d;
	char reason[256];
	for (size_t i = 0; i < sizeof documents / sizeof *documents; i++)
		if (patch_document_parse(documents[i], strlen(documents[i]), &d, reason, sizeof reason))
			fail_msg("%s: %s", reason, documents[i]);
}

static const struct {
	const char *document, *reason;
} refused[] = {
	{"", "not JSON"},
	{"{", "not JSON (line 1"},
	{"[]", "not a JSON object"},
	{"{\"format\":\"clearview-patch\",\"format\":\"x\"}", "not JSON"},
	{"{\"format\":\"other\"}", "format \"other\" is not known"},
	{"{\"format\":\"clearview-patch\",\"version\":2}", "version is 2, must be 1 to 1"},
	{"{\"formation\":1}", "formation is not known"},
	{"{\"\\u001b[31m\":1}", "?[31m is not known"},
	{DOCUMENT_OF("weather", PATCH("fault", "skip", "")), "monitor \"weather\" is not known"},
	{DOCUMENT("3"), "patch must be an object"},
	{DOCUMENT("{}"), "patch.at is missing"},
	{DOCUMENT(PATCH("fault", "skip", ",\"id\":3")), "patch has row numbers"},
	{DOCUMENT(PATCH("fault", "execute", "")), "patch.action \"execute\" is not known"},
	{DOCUMENT(PATCH("fault", "return", "")), "patch.depth is 0"},
	{DOCUMENT(PATCH("fault", "return", ",\"depth\":33")), "patch.depth is 33"},
	{DOCUMENT(PATCH("fault", "skip", ",\"depth\":1")), "patch.depth belongs to return only"},
	{DOCUMENT(PATCH("fault", "skip", ",\"value\":1.5")), "patch.value must be a whole number"},
	{DOCUMENT(PATCH("fault", "skip", ",\"value\":\"1\"")), "patch.value must be a whole number"},
	{DOCUMENT(PATCH("fault", "skip", ",\"successes\":-1")), "patch.successes is -1"},
	{DOCUMENT(PATCH("fault", "skip", ",\"pinned\":1")), "patch.pinned must be true or false"},
	{DOCUMENT(PATCH("fault", "skip", ",\"state\":\"asleep\"")), "patch.state \"asleep\""},
	{DOCUMENT(PATCH("fault", "set", ",\"value\":1")), "patch.action set needs"},
	{DOCUMENT(PATCH("always", "discard", "")), "patch.action discard needs"},
	{DOCUMENT(PATCH("invariant", "skip", "")), "patch.invariant is missing"},
	{DOCUMENT(PATCH("fault", "skip", ",\"invariant\":" INVARIANT(REGISTER))), "patch.invariant does not belong"},
	{DOCUMENT(PATCH("invariant", "set", ",\"invariant\":" INVARIANT(REGISTER))), "patch.value is missing"},
	{DOCUMENT(PATCH("invariant", "set", ",\"value\":4,\"invariant\":" INVARIANT(REGISTER))), "patch.value is 4, which violates"},
	{GUARDED("{\"kind\":\"register\",\"size\":8,\"register\":\"rip\"}"), "patch.invariant.a.operand.register \"rip\" is not known"},
	{GUARDED("{\"kind\":\"register\",\"size\":3,\"register\":\"rax\"}"), "patch.invariant.a.operand.size is 3"},
	{GUARDED("{\"kind\":\"register\",\"size\":16,\"register\":\"rax\"}"), "patch.invariant.a.operand.size is 16"},
	{GUARDED("{\"kind\":\"register\",\"size\":8,\"register\":\"rax\",\"base\":\"rbx\"}"), "patch.invariant.a.operand.base is not known"},
	{GUARDED("{\"kind\":\"register\",\"size\":1,\"register\":\"rsi\",\"high_byte\":true}"), "patch.invariant.a.operand.high_byte"},
	{GUARDED(MEMORY("\"base\":\"rax\",\"displacement\":2147483648")), "patch.invariant.a.operand.displacement is 2147483648"},
	{GUARDED(MEMORY("\"base\":\"rax\"")), "patch.invariant.a.operand.displacement is missing"},
	{GUARDED(MEMORY("\"index\":\"rax\",\"scale\":3,\"displacement\":0")), "patch.invariant.a.operand.scale is 3"},
	{GUARDED(MEMORY("\"index\":\"rsp\",\"scale\":1,\"displacement\":0")), "patch.invariant.a.operand.index must not be rsp"},
	{GUARDED(MEMORY("\"scale\":2,\"displacement\":0")), "patch.invariant.a.operand.scale needs an index"},
	{GUARDED(MEMORY("\"segment\":\"cs\",\"displacement\":0")), "patch.invariant.a.operand.segment \"cs\""},
	{GUARDED(MEMORY("\"base\":\"rax\",\"module_relative\":true,\"displacement\":0")), "patch.invariant.a.operand.module_relative excludes"},
	{DOCUMENT("{\"at\":{\"module\":\"C0FFEE\",\"offset\":\"0x1\"}}"), "patch.at.module must be"},
	{DOCUMENT("{\"at\":{\"module\":\"\",\"offset\":\"0x1\"}}"), "patch.at.module must be"},
	{DOCUMENT("{\"at\":{\"module\":\"000000000000000000000000000000000000000000000000\",\"offset\":\"0x1\"}}"), "patch.at.module must be"},
	{DOCUMENT("{\"at\":{\"module\":\"aa\",\"offset\":\"1\"}}"), "patch.at.offset must be a hexadecimal"},
	{DOCUMENT("{\"at\":{\"module\":\"aa\",\"offset\":16}}"), "patch.at.offset must be a string"},
	{DOCUMENT("{\"at\":{\"module\":\"aa\",\"offset\":\"0x00000000000000001\"}}"), "patch.at.offset must be a hexadecimal"},
	{DOCUMENT("{\"at\":{\"module\":\"aa\",\"offset\":\"0x800000000000\"}}"), "patch.at.offset is 0x800000000000"},
};

static void refusals_name_the_member(void **state)
{
	struct patch_document d;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		char reason[256];
		assert_int_not_equal(patch_document_parse(refused[i].document, strlen(refused[i].document), &d, reason, sizeof reason), 0);
		if (strncmp(reason, refused[i].reason, strlen(refused[i].reason)))
			fail_msg("\"%s\", not \"%s\" for %s", reason, refused[i].reason, refused[i].document);
	}
}

static void values_must_ascend(void **state)
{
	struct invariant i = one_of(), got;
	char reason[256];
	i.value[1] = i.value[0];
	i.relative = 0;
	json_t *json = invariant_to_json(&i);
	assert_int_not_equal(invariant_from_json(json, &got, reason, sizeof reason), 0);
	assert_string_equal(reason, "values must ascend");
	json_object_set_new(json, "values", json_array());
	assert_int_not_equal(invariant_from_json(json, &got, reason, sizeof reason), 0);
	assert_string_equal(reason, "values must be an array of 1 to 8 numbers");
	json_decref(json);
}

static void relative_values_are_told_apart(void **state)
{
	struct invariant i = one_of(), got;
	char reason[256];
	i.value[1] = i.value[0]; /* the same number as an offset in the module is another value */
	json_t *json = invariant_to_json(&i);
	assert_int_equal(invariant_from_json(json, &got, reason, sizeof reason), 0);
	json_object_set_new(json, "relative", json_integer(8));
	assert_int_not_equal(invariant_from_json(json, &got, reason, sizeof reason), 0);
	json_decref(json);
}

static void documents_carry_no_row_numbers(void **state)
{
	struct patch_document d = {.monitor = 3, .location = {.module = {"aa"}, .offset = 7}, .patch = patch(one_of(), ACTION_SKIP)}, got;
	char reason[256];
	json_t *json = patch_document_to_json(&d);
	char *text = json_dumps(json, 0);
	assert_int_equal(patch_document_parse(text, strlen(text), &got, reason, sizeof reason), 0);
	d.patch.id = d.patch.failure = d.patch.invariant.id = 0;
	assert_patch_equal(&d.patch, &got.patch);
	assert_true(got.monitor == d.monitor && !point_compare(&got.location, &d.location));
	free(text);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trips), cmocka_unit_test(invariants_alone), cmocka_unit_test(accepted),
		cmocka_unit_test(refusals_name_the_member), cmocka_unit_test(values_must_ascend),
		cmocka_unit_test(relative_values_are_told_apart), cmocka_unit_test(documents_carry_no_row_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
