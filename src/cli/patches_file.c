/* clearview patches export, import: a patch on its way to another machine. */
#include "cli/patches.h"
#include "repair/operator.h"
#include "repair/patch_json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int patches_export(const struct common *common, int count, char **operands)
{
	struct location l;
	struct patch_document d = {0};
	if (count != 1)
		die(EXIT_CLEARVIEW, "patches export takes one id; `clearview patches` lists them");
	uint64_t id = parse_id(operands[0]);
	struct store *s = state_open(common);
	state_must(s, store_patch_get(s, id, &d.patch));
	if (!d.patch.failure)
		die(EXIT_CLEARVIEW, "patch %" PRIu64 " belongs to no failure and cannot be exported", id);
	state_must(s, store_location_get(s, d.patch.failure, &l));
	d.monitor = l.monitor;
	d.location = l.at;
	print_json(patch_document_to_json(&d));
	store_close(s);
	return finish_output();
}

/* The document in the file, or one line and exit 125. */
static void read_document(const char *path, struct patch_document *out)
{
	char *text = malloc(PATCH_TEXT_MAX + 1), reason[256];
	FILE *f = strcmp(path, "-") ? fopen(path, "re") : stdin;
	if (!f || !text)
		die(EXIT_CLEARVIEW, "cannot read %s: %s", path, strerror(errno));
	size_t length = fread(text, 1, PATCH_TEXT_MAX + 1, f);
	if (ferror(f))
		die(EXIT_CLEARVIEW, "cannot read %s: %s", path, strerror(errno));
	if (f != stdin)
		fclose(f);
	if (patch_document_parse(text, length, out, reason, sizeof reason))
		die(EXIT_CLEARVIEW, "%s is no patch: %s", path, reason);
	free(text);
}

static int find_location(struct store *s, const struct patch_document *d, uint64_t *id)
{
	struct location l;
	int error = store_location_find(s, d->monitor, &d->location, &l);
	if (error == -ENOENT) {
		l = (struct location){.monitor = d->monitor, .at = d->location, .state = LOCATION_DETECTED};
		l.last = (struct failure){.monitor = d->monitor, .at = d->location};
		snprintf(l.last.facts, sizeof l.last.facts, "not seen here: its patch was imported");
		error = store_location_put(s, &l);
	}
	*id = l.id;
	return error;
}

/* Equal in what they do: evaluation and row numbers apart. */
static bool does_the_same(const struct patch *a, const struct patch *b)
{
	struct patch x = *a, y = *b;
	x.id = y.id = x.failure = y.failure = x.invariant.id = y.invariant.id = x.invariant.samples = y.invariant.samples = 0;
	x.state = y.state = x.pinned = y.pinned = x.successes = y.successes = x.failures = y.failures = 0;
	x.activations = y.activations = 0;
	json_t *first = patch_to_json(&x), *second = patch_to_json(&y);
	bool same = json_equal(first, second);
	json_decref(first);
	json_decref(second);
	return same;
}

static int find_same(void *context, const struct patch *p)
{
	struct patch *wanted = context;
	if (does_the_same(wanted, p))
		wanted->id = p->id;
	return 0;
}

/* Counts of another machine are not evidence here: the patch starts anew, in force if it was. */
static int import(struct store *s, const struct patch_document *d, uint64_t *id, bool *known)
{
	struct patch p = d->patch;
	bool in_force = p.state == PATCH_KEPT || p.state == PATCH_TRIED;
	int error = find_location(s, d, &p.failure);
	if (!error)
		error = store_patches(s, p.failure, find_same, &p);
	*known = p.id != 0;
	p.successes = p.failures = 0;
	p.activations = 0;
	p.pinned = 0;
	p.state = p.state == PATCH_DISABLED ? PATCH_DISABLED : PATCH_CANDIDATE;
	if (!error && !*known)
		error = store_patch_put(s, &p);
	*id = p.id;
	if (!error && in_force)
		error = d->patch.pinned ? operator_pin(s, p.id) : operator_enable(s, p.id);
	return error == -EALREADY ? 0 : error;
}

static int log_import(struct store *s, const struct patch_document *d, uint64_t id, const char *path)
{
	struct event e = {.kind = "patch", .patch = id};
	struct location l;
	if (!store_location_find(s, d->monitor, &d->location, &l))
		e.location = l.id;
	snprintf(e.text, sizeof e.text, "patch %" PRIu64 " imported by the operator from %.256s", id, path);
	return store_event_add(s, &e);
}

int patches_import(const struct common *common, int count, char **operands)
{
	struct patch_document d;
	struct store *s;
	uint64_t id;
	bool known;
	if (count != 1)
		die(EXIT_CLEARVIEW, "patches import takes one file (- is standard input)");
	read_document(operands[0], &d);
	if (store_open(common->state, &s))
		die(EXIT_CLEARVIEW, "%s", store_error(NULL));
	state_must(s, store_begin(s));
	state_must(s, import(s, &d, &id, &known));
	if (!known)
		state_must(s, log_import(s, &d, id, operands[0]));
	state_must(s, store_commit(s));
	json_t *changes = json_array();
	json_array_append_new(changes, json_pack("{s:I, s:s, s:b}", "patch", (json_int_t)id, "change", "imported", "already", known));
	int status = patches_spread(s, common, changes);
	store_close(s);
	return status;
}
