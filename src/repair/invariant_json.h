/* The parts of src/repair/patch_json.h that read with a json_reader, for use inside larger objects. */
#ifndef REPAIR_INVARIANT_JSON_H
#define REPAIR_INVARIANT_JSON_H

#include "repair/json_reader.h"

#include <clearview/invariant.h>

/* `json` NULL: nothing is read. */
void json_read_point(struct json_reader *r, const json_t *json, struct point *out);
void json_read_invariant(struct json_reader *r, const json_t *json, struct invariant *out);

/* Sets "name" to "0x...". */
int json_set_hex(json_t *object, const char *name, uint64_t value);

#endif
