#include "repair/force.h"

#include "base/log.h"
#include "repair/evaluate.h"
#include "repair/journal.h"

#include <errno.h>

const struct force_entry *force_at(const struct repair *r, uint64_t location)
{
	for (size_t i = 0; i < r->force.count; i++)
		if (r->force.at[i].patch.failure == location && !r->force.at[i].refused)
			return &r->force.at[i];
	return NULL;
}

static struct force_entry *entry_of(const struct repair *r, uint64_t patch)
{
	for (size_t i = 0; i < r->force.count; i++)
		if (r->force.at[i].patch.id == patch)
			return &r->force.at[i];
	return NULL;
}

bool force_has(const struct repair *r, uint64_t patch)
{
	const struct force_entry *e = entry_of(r, patch);
	return e && !e->refused;
}

/* --- Checks. */

static int wanted_of_location(void *context, const struct location *l)
{
	if (l->state == LOCATION_CHECKING)
		vec_push((VEC(uint64_t) *)context, l->id);
	return 0;
}

static bool among(const uint64_t *ids, size_t count, uint64_t id)
{
	for (size_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

static int wanted_checks(struct repair *r, check_list *out)
{
	VEC(uint64_t) locations = {0};
	int err = store_locations(r->store, wanted_of_location, &locations);
	for (size_t i = 0; !err && i < locations.count; i++)
		err = load_checks(r->store, locations.at[i], out);
	vec_free(&locations);
	return err;
}

static void remove_checks(struct repair *r, const check_list *wanted)
{
	VEC(uint64_t) gone = {0};
	for (size_t i = r->checks.count; i-- > 0;) {
		bool keep = false;
		for (size_t n = 0; !keep && n < wanted->count; n++)
			keep = wanted->at[n].id == r->checks.at[i];
		if (keep)
			continue;
		vec_push(&gone, r->checks.at[i]);
		r->checks.at[i] = r->checks.at[--r->checks.count];
	}
	if (gone.count)
		r->host.checks_remove(r->host.context, gone.at, gone.count);
	vec_free(&gone);
}

static void install_checks(struct repair *r, const check_list *wanted)
{
	check_list missing = {0};
	for (size_t i = 0; i < wanted->count; i++)
		if (!among(r->checks.at, r->checks.count, wanted->at[i].id))
			vec_push(&missing, wanted->at[i]);
	if (missing.count) {
		int err = r->host.checks_install(r->host.context, missing.at, missing.count);
		if (err)
			log_warning("some of %zu checks can't be put in: %s", missing.count, strerror(-err));
		/* Also when some could not be woven: those report nothing and count as never violated. */
		for (size_t i = 0; i < missing.count; i++)
			vec_push(&r->checks, missing.at[i].id);
		r->checks_since_us = repair_now(r);
	}
	vec_free(&missing);
}

static int sync_checks(struct repair *r)
{
	check_list wanted = {0};
	int err = wanted_checks(r, &wanted);
	if (!err) {
		remove_checks(r, &wanted);
		install_checks(r, &wanted);
	}
	vec_free(&wanted);
	return err;
}

/* --- Patches. */

static void remove_patches(struct repair *r, const patch_list *stored)
{
	for (size_t i = r->force.count; i-- > 0;) {
		struct force_entry *e = &r->force.at[i];
		bool keep = false;
		for (size_t n = 0; !keep && n < stored->count; n++)
			keep = stored->at[n].id == e->patch.id && patch_is_in_force(&stored->at[n]);
		if (keep)
			continue;
		if (!e->refused)
			r->host.patch_remove(r->host.context, e->patch.id);
		*e = r->force.at[--r->force.count];
	}
}

static int refuse(struct repair *r, const struct patch *p)
{
	int err = store_begin(r->store);
	if (err)
		return err;
	err = evaluate_failed(r, p->id, 0, "it can't be applied");
	if (err) {
		store_rollback(r->store);
		return err;
	}
	return store_commit(r->store);
}

/* *again: the store's wishes changed on the way. */
static int install_patches(struct repair *r, const patch_list *stored, bool *again)
{
	for (size_t i = 0; i < stored->count; i++) {
		const struct patch *p = &stored->at[i];
		if (!patch_is_in_force(p) || entry_of(r, p->id))
			continue;
		int err = r->host.patch_install(r->host.context, p);
		if (!err) {
			vec_push(&r->force, (struct force_entry){.patch = *p, .since_us = repair_now(r)});
		} else if (err != -EOPNOTSUPP) {
			log_warning("patch %llu can't be put in now: %s", (unsigned long long)p->id, strerror(-err));
		} else {
			vec_push(&r->force, (struct force_entry){.patch = *p, .since_us = repair_now(r), .refused = true});
			err = refuse(r, p);
			if (err)
				return err;
			*again = true;
		}
	}
	return 0;
}

static int sync_patches(struct repair *r, bool *again)
{
	patch_list stored = {0};
	int err = load_patches(r->store, 0, &stored);
	*again = false;
	if (!err) {
		/* Out before in: two patches at one instruction can't both act. */
		remove_patches(r, &stored);
		err = install_patches(r, &stored, again);
	}
	vec_free(&stored);
	return err;
}

int force_sync(struct repair *r)
{
	bool again = true;
	int err = 0;
	/* Ends: each round discards a patch. */
	for (int rounds = 0; !err && again && rounds < 1000; rounds++)
		err = sync_patches(r, &again);
	if (!err)
		err = sync_checks(r);
	/* After an error it is to be tried again. */
	r->stale = err != 0;
	return err;
}
