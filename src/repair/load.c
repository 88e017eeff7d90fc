/* Rows of the store as lists. */
#include "repair/private.h"

static int keep_patch(void *context, const struct patch *p)
{
	vec_push((patch_list *)context, *p);
	return 0;
}

static int keep_check(void *context, const struct check *c)
{
	vec_push((check_list *)context, *c);
	return 0;
}

static int keep_invariant(void *context, const struct invariant *i)
{
	vec_push((invariant_list *)context, *i);
	return 0;
}

int load_patches(struct store *s, uint64_t location, patch_list *out)
{
	return store_patches(s, location, keep_patch, out);
}

int load_checks(struct store *s, uint64_t location, check_list *out)
{
	return store_checks(s, location, keep_check, out);
}

int load_invariants(struct store *s, const struct module_key *module, uint64_t procedure, invariant_list *out)
{
	return store_invariants_of_procedure(s, module, procedure, keep_invariant, out);
}
