/* The store's rows as JSON for programs. New references. Times are seconds since 1970 with a fraction. */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include "node/store.h"

#include <jansson.h>

json_t *json_time(int64_t time_us); /* null for 0 */
/* {"module": key, "path": ..., "offset": "0x..."} */
json_t *json_point(struct store *s, const struct point *at);
json_t *json_failure(struct store *s, const struct failure *f);
json_t *json_location(struct store *s, const struct location *l);
json_t *json_check(const struct check *c);
/* As in patch_json.h, and a sentence that describes it. */
json_t *json_patch(const struct patch *p);
json_t *json_event(const struct event *e);
/* A string; of one that is not UTF-8 (a path may be anything) the bytes beyond ASCII become '?'. */
json_t *json_safe(const char *text);
json_t *json_address(uint64_t value);

#endif
