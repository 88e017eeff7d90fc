#include "node/enforce.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "learn/evaluate.h"
#include "node/fault_code.h"
#include "node/guard.h"
#include "node/procedures.h"

enum { PROBE_FRAME = 136, CALLERS_MAX = 8 };

/* Where a patch or check is in force. */
struct site {
	struct family *family;
	struct loaded *loaded;
	uint32_t probe, capture; /* 0: none */
	uint64_t resume;         /* GUARD_FAULT, GUARD_HEAP */
	enum fault_action_kind kind;
	uint64_t behind;         /* FAULT_HEAP_CALL: guest address behind the call */
	uint64_t activations, satisfied, violated; /* of the tally, as last read */
};

struct forced {
	uint64_t id;
	bool is_check;
	bool by_verdict;    /* nothing is woven: the repair engine acts when the failure is told */
	struct patch patch; /* a check's invariant stands in patch.invariant */
	struct point callers[CALLERS_MAX];
	size_t caller_count;
	VEC(struct site) sites;
};

struct enforcement {
	struct supervisor *supervisor;
	VEC(struct forced *) all;
	VEC(struct family *) dirty;
	size_t next_forced, next_site; /* enforcement_activation's walk */
};

struct enforcement *enforcement_new(struct supervisor *s)
{
	struct enforcement *e = calloc(1, sizeof *e);
	if (!e)
		abort();
	e->supervisor = s;
	return e;
}

static void forced_free(struct forced *f)
{
	vec_free(&f->sites);
	free(f);
}

void enforcement_free(struct enforcement *e)
{
	for (size_t i = 0; e && i < e->all.count; i++)
		forced_free(e->all.at[i]);
	if (e) {
		vec_free(&e->all);
		vec_free(&e->dirty);
	}
	free(e);
}

static uint32_t owner_of(const struct forced *f)
{
	return OWNER_DYNAMIC + f->id * 2 + f->is_check;
}

static void mark_dirty(struct enforcement *e, struct family *f)
{
	for (size_t i = 0; i < e->dirty.count; i++)
		if (e->dirty.at[i] == f)
			return;
	vec_push(&e->dirty, f);
}

static const struct point *point_of(const struct forced *f)
{
	return f->is_check ? invariant_point(&f->patch.invariant) : &f->patch.at;
}

static int wish_probe(struct site *s, uint64_t offset, uint32_t probe, enum weave_resume resume, uint32_t owner)
{
	struct weave w = {.offset = offset, .place = WEAVE_BEFORE, .resume = resume, .probe = probe};
	return image_wish(&s->family->image, s->loaded, &w, owner) ? -EOPNOTSUPP : 0;
}

static int place_capture(struct forced *f, struct site *s, struct guest_probe *p, const struct operand *operand, uint64_t offset)
{
	s->capture = image_probe_new(&s->family->image);
	if (!s->capture)
		return -EOPNOTSUPP;
	struct guest_probe *c = image_probe(&s->family->image, s->capture);
	c->work = PROBE_CAPTURE;
	c->operand[0] = *operand;
	c->operand_count = 1;
	guard_activation(c, s->loaded->module, offset);
	p->earlier = s->capture;
	return c->cfa_register == REG_NONE ? -EOPNOTSUPP : wish_probe(s, offset, s->capture, RESUME_NONE, owner_of(f));
}

static int place_guard(struct forced *f, struct site *s, struct guest_probe *p)
{
	bool needs_earlier;
	struct operand operand;
	uint64_t offset;
	if (!f->is_check && (f->patch.guard == GUARD_ALWAYS || f->patch.action == ACTION_RESTORE)) {
		p->guard = PROBE_GUARD_TRUE;
		guard_activation(p, s->loaded->module, f->patch.at.offset);
		return 0;
	}
	int status = guard_fill(p, &f->patch.invariant, s->loaded, &needs_earlier, &operand, &offset);
	return status || !needs_earlier ? status : place_capture(f, s, p, &operand, offset);
}

/* The probe at the procedure's entry that saves what ACTION_RESTORE brings back. Springboards at entries stand behind endbr64. */
static int place_save(struct forced *f, struct site *s, struct guest_probe *p)
{
	static const uint8_t landing_mark[] = {0xf3, 0x0f, 0x1e, 0xfa};
	struct module *m = s->loaded->module;
	const struct procedure *procedure = procedures_get(m, f->patch.at.offset);
	size_t available;
	const uint8_t *bytes = procedure ? module_bytes(m, procedure->entry, &available) : NULL;
	if (!bytes || p->cfa_register == REG_NONE || !(s->capture = image_probe_new(&s->family->image)))
		return -EOPNOTSUPP;
	uint64_t offset = procedure->entry + (available >= 4 && !memcmp(bytes, landing_mark, 4) ? 4 : 0);
	struct guest_probe *save = image_probe(&s->family->image, s->capture);
	save->work = PROBE_SAVE;
	guard_activation(save, m, offset);
	if (save->cfa_register != REG_RSP || save->cfa_offset != 8)
		return -EOPNOTSUPP;
	return wish_probe(s, offset, s->capture, RESUME_NONE, owner_of(f));
}

/* What the probe does when the guard is true. *resume: how the weaver shall make p->resume. */
static int place_action(struct forced *f, struct site *s, struct guest_probe *p, enum weave_resume *resume)
{
	*resume = RESUME_NONE;
	p->work = PROBE_REPAIR;
	p->set_value = f->patch.value;
	p->has_value = f->patch.has_value;
	switch (f->patch.action) {
	case ACTION_SET:
		p->action = PROBE_ACT_SET;
		return 0;
	case ACTION_SET_EQUAL:
		p->action = PROBE_ACT_SET_B;
		return f->patch.invariant.kind == INVARIANT_LESS_THAN ? 0 : -EOPNOTSUPP;
	case ACTION_SKIP:
	case ACTION_DISCARD:
		p->action = PROBE_ACT_RESUME;
		*resume = RESUME_BEHIND;
		return 0;
	case ACTION_RESTORE:
		p->action = PROBE_ACT_RESTORE;
		p->bound = f->patch.guard == GUARD_FAULT;
		p->resume = fault_code(&s->family->image, s->loaded, &f->patch, 0, NULL, 0);
		return p->resume ? place_save(f, s, p) : -EOPNOTSUPP;
	case ACTION_RETURN:
		p->action = PROBE_ACT_RESUME;
		p->resume = fault_code(&s->family->image, s->loaded, &f->patch, PROBE_FRAME, f->callers, f->caller_count);
		return p->resume ? 0 : -EOPNOTSUPP;
	default:
		return -EOPNOTSUPP;
	}
}

static int place_probe(struct forced *f, struct site *s)
{
	enum weave_resume resume = RESUME_NONE;
	s->probe = image_probe_new(&s->family->image);
	if (!s->probe)
		return -EOPNOTSUPP;
	struct guest_probe *p = image_probe(&s->family->image, s->probe);
	int status = place_guard(f, s, p);
	if (f->is_check)
		p->work = PROBE_CHECK;
	else if (!status)
		status = place_action(f, s, p, &resume);
	return status ? status : wish_probe(s, point_of(f)->offset, s->probe, resume, owner_of(f));
}

static int place_fault_action(struct forced *f, struct site *s)
{
	s->probe = image_probe_new(&s->family->image); /* for its tally */
	s->resume = s->probe ? fault_code(&s->family->image, s->loaded, &f->patch, 0, f->callers, f->caller_count) : 0;
	return s->resume ? 0 : -EOPNOTSUPP;
}

/* At a call: of the allocator, which finds a double free. Else at an access, which faults. */
static int place_heap_action(struct forced *f, struct site *s)
{
	size_t available;
	struct insn i;
	const uint8_t *bytes = module_bytes(s->loaded->module, f->patch.at.offset, &available);
	if (!bytes || insn_decode(bytes, available, f->patch.at.offset, &i))
		return -EOPNOTSUPP;
	s->kind = insn_is_call(&i) ? FAULT_HEAP_CALL : FAULT_HEAP;
	s->behind = insn_end(&i) + s->loaded->bias;
	return place_fault_action(f, s);
}

static int place_in(struct enforcement *e, struct forced *f, struct family *family, struct loaded *l)
{
	struct site s = {.family = family, .loaded = l};
	if (f->by_verdict)
		return 0;
	int status = !l->zone                                          ? -EOPNOTSUPP :
		     f->patch.action == ACTION_RESTORE                 ? place_probe(f, &s) :
		     !f->is_check && f->patch.guard == GUARD_FAULT     ? place_fault_action(f, &s) :
		     !f->is_check && f->patch.guard == GUARD_HEAP      ? place_heap_action(f, &s) :
									 place_probe(f, &s);
	if (status) {
		log_info("%s %lu can't be applied in %s", f->is_check ? "check" : "patch", f->id, l->module->path);
		image_unwish(&family->image, owner_of(f));
		return status;
	}
	vec_push(&f->sites, s);
	mark_dirty(e, family);
	return 0;
}

/* In every module of that key in every family. */
static int place_everywhere(struct enforcement *e, struct forced *f)
{
	int worst = 0;
	for (size_t i = 0; i < e->supervisor->families.count; i++) {
		struct family *family = e->supervisor->families.at[i];
		struct loaded *l = image_module(&family->image, &point_of(f)->module);
		int status = l ? place_in(e, f, family, l) : 0;
		if (status)
			worst = status;
	}
	return worst;
}

static struct forced *find(struct enforcement *e, uint64_t id, bool is_check)
{
	for (size_t i = 0; i < e->all.count; i++)
		if (e->all.at[i]->id == id && e->all.at[i]->is_check == is_check)
			return e->all.at[i];
	return NULL;
}

static void leave_site(struct enforcement *e, struct forced *f, struct site *s)
{
	struct image *im = &s->family->image;
	if (s->probe)
		__atomic_store_n(&image_probe(im, s->probe)->enabled, 0, __ATOMIC_RELEASE);
	if (s->capture)
		__atomic_store_n(&image_probe(im, s->capture)->enabled, 0, __ATOMIC_RELEASE);
	image_unwish(im, owner_of(f));
	mark_dirty(e, s->family);
}

static void unforce(struct enforcement *e, uint64_t id, bool is_check)
{
	for (size_t i = 0; i < e->all.count; i++) {
		struct forced *f = e->all.at[i];
		if (f->id != id || f->is_check != is_check)
			continue;
		for (size_t k = 0; k < f->sites.count; k++)
			leave_site(e, f, &f->sites.at[k]);
		forced_free(f);
		e->all.at[i] = e->all.at[--e->all.count];
		return;
	}
}

static int force(struct enforcement *e, const struct forced *what)
{
	unforce(e, what->id, what->is_check);
	struct forced *f = malloc(sizeof *f);
	if (!f)
		abort();
	*f = *what;
	vec_push(&e->all, f);
	int status = place_everywhere(e, f);
	if (status)
		unforce(e, what->id, what->is_check);
	return status;
}

/* The frames above the failure, for returns of more than one procedure. */
static void remember_callers(struct forced *f, const struct failure *last)
{
	for (unsigned i = last->location_frame + 1; f->patch.depth > 1 && i < last->depth && f->caller_count < CALLERS_MAX; i++)
		f->callers[f->caller_count++] = last->stack[i].at;
}

int enforce_patch(struct enforcement *e, const struct patch *p)
{
	struct forced f = {.id = p->id, .patch = *p};
	struct location where;
	if (store_location_get(e->supervisor->store, p->failure, &where))
		return -ENOENT;
	f.by_verdict = (where.monitor == MONITOR_ABORT || where.monitor == MONITOR_HANG) && p->guard == GUARD_FAULT && p->action != ACTION_RESTORE;
	remember_callers(&f, &where.last);
	return force(e, &f);
}

int enforce_check(struct enforcement *e, const struct check *c)
{
	struct forced f = {.id = c->id, .is_check = true};
	f.patch.invariant = c->invariant;
	return force(e, &f);
}

void unforce_patch(struct enforcement *e, uint64_t patch)
{
	unforce(e, patch, false);
}

void unforce_check(struct enforcement *e, uint64_t check)
{
	unforce(e, check, true);
}

void enforcement_apply(struct enforcement *e)
{
	while (e->dirty.count)
		family_apply(e->dirty.at[--e->dirty.count], true);
}

void enforcement_module_loaded(struct enforcement *e, struct family *family, struct loaded *l)
{
	for (size_t i = 0; i < e->all.count; i++)
		if (!strcmp(point_of(e->all.at[i])->module.hex, l->module->key.hex))
			place_in(e, e->all.at[i], family, l);
}

static void drop_sites(struct enforcement *e, const struct family *family, const struct loaded *l)
{
	for (size_t i = 0; i < e->all.count; i++) {
		struct forced *f = e->all.at[i];
		for (size_t k = 0; k < f->sites.count; k++)
			if (f->sites.at[k].family == family && (!l || f->sites.at[k].loaded == l))
				f->sites.at[k--] = f->sites.at[--f->sites.count];
	}
}

void enforcement_module_unloaded(struct enforcement *e, struct family *f, struct loaded *l)
{
	drop_sites(e, f, l);
}

void enforcement_family_ended(struct enforcement *e, struct family *f)
{
	drop_sites(e, f, NULL);
	for (size_t i = 0; i < e->dirty.count; i++)
		if (e->dirty.at[i] == f)
			e->dirty.at[i--] = e->dirty.at[--e->dirty.count];
}

static bool insn_at(const struct module *m, uint64_t offset, struct insn *i)
{
	size_t available;
	const uint8_t *bytes = module_bytes(m, offset, &available);
	return bytes && !insn_decode(bytes, available, offset, i);
}

/* Offset of the instruction behind a call; 0: it is none. */
static uint64_t behind_call(const struct module *m, uint64_t offset)
{
	struct insn i;
	return insn_at(m, offset, &i) && insn_is_call(&i) ? insn_end(&i) : 0;
}

bool enforcement_goes_on_at(const struct enforcement *e, const struct family *family, uint64_t address)
{
	for (size_t i = 0; i < e->all.count; i++)
		for (size_t k = 0; k < e->all.at[i]->sites.count; k++) {
			const struct forced *f = e->all.at[i];
			const struct site *s = &f->sites.at[k];
			struct insn n;
			if (s->family == family && s->resume && !f->is_check && insn_at(s->loaded->module, f->patch.at.offset, &n) &&
			    insn_end(&n) + s->loaded->bias == address)
				return true;
		}
	return false;
}

/* An instruction may fault at its original place or in its copy. */
static size_t fault_actions_of(const struct forced *f, const struct site *s, struct guest_fault_action *out)
{
	struct redirected *r = s->kind == FAULT_HEAP_CALL ? NULL : image_redirected(s->loaded, f->patch.at.offset);
	uint64_t original = s->kind == FAULT_HEAP_CALL ? s->behind : f->patch.at.offset + s->loaded->bias;
	size_t n = 0;
	out[n++] = (struct guest_fault_action){original, s->resume, s->probe, s->kind};
	uint64_t copy = r ? image_copy_of(r, f->patch.at.offset) : 0;
	if (copy)
		out[n++] = (struct guest_fault_action){copy, s->resume, s->probe, s->kind};
	uint64_t behind = s->kind == FAULT_ANY ? behind_call(s->loaded->module, f->patch.at.offset) : 0;
	if (behind)
		out[n++] = (struct guest_fault_action){behind + s->loaded->bias, s->resume, s->probe, FAULT_TRANSFER};
	return n;
}

uint64_t enforcement_heap_call(struct enforcement *e, struct family *family, const struct point *call, pid_t tid)
{
	for (size_t i = 0; i < e->all.count; i++)
		for (size_t k = 0; k < e->all.at[i]->sites.count; k++) {
			struct site *s = &e->all.at[i]->sites.at[k];
			if (s->family != family || !s->resume || s->kind != FAULT_HEAP_CALL || point_compare(&e->all.at[i]->patch.at, call))
				continue;
			struct guest_tally *t = &family->image.shared->tally[s->probe];
			t->last_tid = tid;
			t->last_cfa = 0;
			__atomic_add_fetch(&t->activations, 1, __ATOMIC_RELEASE);
			return s->resume;
		}
	return 0;
}

void enforcement_applied(struct enforcement *e, struct family *family)
{
	static struct guest_fault_action actions[FAULT_ACTIONS_MAX];
	size_t count = 0;
	for (size_t i = 0; i < e->all.count; i++)
		for (size_t k = 0; k < e->all.at[i]->sites.count; k++) {
			struct site *s = &e->all.at[i]->sites.at[k];
			if (s->family != family)
				continue;
			if (s->resume && count + 3 <= FAULT_ACTIONS_MAX)
				count += fault_actions_of(e->all.at[i], s, actions + count);
			else if (!s->resume && (image_probe(&family->image, s->probe)->action != PROBE_ACT_RESUME || image_probe(&family->image, s->probe)->resume))
				__atomic_store_n(&image_probe(&family->image, s->probe)->enabled, 1, __ATOMIC_RELEASE);
			if (s->capture)
				__atomic_store_n(&image_probe(&family->image, s->capture)->enabled, 1, __ATOMIC_RELEASE);
		}
	image_fault_actions(&family->image, actions, count);
}

/* Read once: a guest writes it. */
static enum check_outcome last_of(const struct guest_tally *t, pid_t tid)
{
	uint8_t last = __atomic_load_n(&t->last[(uint32_t)tid % PROBE_THREADS], __ATOMIC_RELAXED);
	return last <= CHECK_VIOLATED ? last : CHECK_NONE;
}

void enforcement_collect(struct enforcement *e, uint64_t check, pid_t pid, pid_t tid, struct check_tally *out)
{
	struct forced *f = find(e, check, true);
	*out = (struct check_tally){0};
	for (size_t k = 0; f && k < f->sites.count; k++) {
		struct site *s = &f->sites.at[k];
		const struct guest_tally *t = &s->family->image.shared->tally[s->probe];
		uint64_t satisfied = t->satisfied, violated = t->violated;
		out->satisfied += satisfied - s->satisfied;
		out->violated += violated - s->violated;
		s->satisfied = satisfied;
		s->violated = violated;
		if (family_process(s->family, pid))
			out->last = last_of(t, tid);
	}
}

bool enforcement_activation(struct enforcement *e, struct enforced_activation *out)
{
	for (; e->next_forced < e->all.count; e->next_forced++, e->next_site = 0) {
		struct forced *f = e->all.at[e->next_forced];
		while (!f->is_check && e->next_site < f->sites.count) {
			struct site *s = &f->sites.at[e->next_site++];
			const struct guest_tally *t = &s->family->image.shared->tally[s->probe];
			uint64_t activations = __atomic_load_n(&t->activations, __ATOMIC_ACQUIRE);
			if (activations == s->activations)
				continue;
			*out = (struct enforced_activation){f->id, activations - s->activations, t->last_cfa, 0, (pid_t)t->last_tid};
			out->pid = family_process_of_thread(s->family, out->tid);
			s->activations = activations;
			return true;
		}
	}
	e->next_forced = e->next_site = 0;
	return false;
}

unsigned enforcement_patches(const struct enforcement *e)
{
	unsigned n = 0;
	for (size_t i = 0; i < e->all.count; i++)
		n += !e->all.at[i]->is_check;
	return n;
}

unsigned enforcement_patches_in(const struct enforcement *e, const struct family *f)
{
	unsigned n = 0;
	for (size_t i = 0; i < e->all.count; i++)
		for (size_t k = 0; k < e->all.at[i]->sites.count; k++)
			if (!e->all.at[i]->is_check && e->all.at[i]->sites.at[k].family == f) {
				n++;
				break;
			}
	return n;
}
