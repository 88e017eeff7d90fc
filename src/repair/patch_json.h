/* Patches and invariants as JSON: what commands print, what is exported, reviewed, shipped and imported. Reading is strict, since a patch may
 * come from anywhere: unknown members, wrong types and values out of range are refused with a reason that names the member. For example
 *
 *   {"format": "clearview-patch", "version": 1, "monitor": "crash",
 *    "location": {"module": "3f9a...", "offset": "0x1a2b3"},
 *    "patch": {"at": {"module": "3f9a...", "offset": "0x1a2b3"}, "guard": "fault", "action": "return", "depth": 1, "value": 0}}
 *
 * Offsets are hexadecimal strings, values and counts decimal numbers. */
#ifndef REPAIR_PATCH_JSON_H
#define REPAIR_PATCH_JSON_H

#include <clearview/patch.h>
#include <jansson.h>
#include <stddef.h>

enum {
	PATCH_DEPTH_MAX = 32,
	PATCH_TEXT_MAX = 1 << 20, /* bytes of a document */
};

/* Indexed by enum guard_kind, action_kind, patch_state. */
extern const char *const patch_guard_names[GUARD_HEAP + 1];
extern const char *const patch_action_names[ACTION_RESTORE + 1];
extern const char *const patch_state_names[PATCH_DISABLED + 1];

/* New references; the caller drops them. NULL: out of memory. */
json_t *point_to_json(const struct point *at);
json_t *invariant_to_json(const struct invariant *i);
json_t *patch_to_json(const struct patch *p);

/* Return 0, or -EINVAL with one line in `reason`. */
int invariant_from_json(const json_t *json, struct invariant *out, char *reason, size_t size) __attribute__((warn_unused_result));
int patch_from_json(const json_t *json, struct patch *out, char *reason, size_t size) __attribute__((warn_unused_result));

/* Do guard, action, value and invariant go together? What patch_from_json() accepts does. 0 or -EINVAL, as above. */
int patch_check(const struct patch *p, char *reason, size_t size) __attribute__((warn_unused_result));

/* A patch on its way to another machine: with the failure location it repairs, without the row numbers of this one. */
struct patch_document {
	uint8_t monitor;       /* enum monitor_kind */
	struct point location;
	struct patch patch;
};
json_t *patch_document_to_json(const struct patch_document *d);
int patch_document_parse(const char *text, size_t length, struct patch_document *out, char *reason, size_t size)
	__attribute__((warn_unused_result));

#endif
