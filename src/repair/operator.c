#include "repair/operator.h"

#include "repair/describe.h"
#include "repair/journal.h"
#include "repair/lifecycle.h"

#include <errno.h>

enum operation { OPERATION_DISABLE, OPERATION_ENABLE, OPERATION_PIN, OPERATION_UNPIN, OPERATION_REMOVE };

static const char *const done[] = {
	[OPERATION_DISABLE] = "disabled", [OPERATION_ENABLE] = "enabled", [OPERATION_PIN] = "pinned",
	[OPERATION_UNPIN] = "unpinned",   [OPERATION_REMOVE] = "removed",
};

/* Taken out without having failed now: its turn may come again. */
static int step_aside(struct store *s, struct patch *p)
{
	p->state = p->failures ? PATCH_DISCARDED : PATCH_CANDIDATE;
	p->pinned = 0;
	return store_patch_put(s, p);
}

static int clear_place(struct store *s, const struct patch *for_patch)
{
	patch_list list = {0};
	int err = load_patches(s, for_patch->failure, &list);
	for (size_t i = 0; !err && i < list.count; i++)
		if (list.at[i].id != for_patch->id && patch_is_in_force(&list.at[i]))
			err = step_aside(s, &list.at[i]);
	vec_free(&list);
	return err;
}

static int put_in(struct store *s, struct patch *p, bool pin)
{
	int err = clear_place(s, p);
	if (err)
		return err;
	if (!patch_is_in_force(p))
		p->state = PATCH_TRIED;
	p->pinned |= pin;
	return store_patch_put(s, p);
}

static int disable(struct store *s, struct patch *p)
{
	p->state = PATCH_DISABLED;
	p->pinned = 0;
	return store_patch_put(s, p);
}

static int unpin(struct store *s, struct patch *p)
{
	p->pinned = 0;
	return store_patch_put(s, p);
}

static bool is_so_already(const struct patch *p, enum operation operation)
{
	switch (operation) {
	case OPERATION_DISABLE:
		return p->state == PATCH_DISABLED;
	case OPERATION_ENABLE:
		return patch_is_in_force(p);
	case OPERATION_PIN:
		return p->pinned && patch_is_in_force(p);
	case OPERATION_UNPIN:
		return !p->pinned;
	default:
		return false;
	}
}

static int change(struct store *s, struct patch *p, enum operation operation)
{
	switch (operation) {
	case OPERATION_DISABLE:
		return disable(s, p);
	case OPERATION_ENABLE:
		return put_in(s, p, false);
	case OPERATION_PIN:
		return put_in(s, p, true);
	case OPERATION_UNPIN:
		return unpin(s, p);
	default:
		return store_patch_delete(s, p->id);
	}
}

/* The location's state says whether something is in force: repairing, where it was patched, or detected, where it had been given up. */
static int follow(struct store *s, const struct patch *before, enum operation operation)
{
	bool puts_in = operation == OPERATION_ENABLE || operation == OPERATION_PIN;
	struct location l;
	int err = store_location_get(s, before->failure, &l);
	if (err)
		return err == -ENOENT ? 0 : err;
	if (puts_in && !patch_is_in_force(before) && (l.state == LOCATION_DETECTED || l.state == LOCATION_CHECKING))
		return lifecycle_step(s, &l, LIFECYCLE_CANDIDATES, 0, "the operator put a patch in force");
	if (patch_is_in_force(before) != puts_in)
		return lifecycle_step(s, &l, LIFECYCLE_WITHDRAWN, 0, "the operator changed what is in force");
	return 0;
}

static int apply(struct store *s, uint64_t id, enum operation operation)
{
	struct patch p, before;
	char text[256];
	int err = store_patch_get(s, id, &p);
	if (err)
		return err;
	if (is_so_already(&p, operation))
		return -EALREADY;
	before = p;
	err = change(s, &p, operation);
	if (!err && operation != OPERATION_UNPIN)
		err = follow(s, &before, operation);
	if (err)
		return err;
	return journal(s, JOURNAL_PATCH, before.failure, id, 0, 0, "patch %llu %s by the operator: %s", (unsigned long long)id, done[operation],
		       describe_patch(&before, text, sizeof text));
}

static int operate(struct store *s, uint64_t id, enum operation operation)
{
	int err = store_begin(s);
	if (err)
		return err;
	err = apply(s, id, operation);
	if (!err)
		return store_commit(s);
	store_rollback(s);
	return err;
}

int operator_disable(struct store *s, uint64_t patch)
{
	return operate(s, patch, OPERATION_DISABLE);
}

int operator_enable(struct store *s, uint64_t patch)
{
	return operate(s, patch, OPERATION_ENABLE);
}

int operator_pin(struct store *s, uint64_t patch)
{
	return operate(s, patch, OPERATION_PIN);
}

int operator_unpin(struct store *s, uint64_t patch)
{
	return operate(s, patch, OPERATION_UNPIN);
}

int operator_remove(struct store *s, uint64_t patch)
{
	return operate(s, patch, OPERATION_REMOVE);
}
