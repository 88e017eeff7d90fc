/* Detours the allocator's procedures to the blob, and keeps its tables. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"
#include "monitor/heap_scan.h"
#include "monitor/locate_call.h"
#include "node/heap_private.h"
#include "node/procedures.h"
#include "node/weavers.h"
#include "x86/insn.h"

/* What an allocator exports, and what stands in for it. */
static const struct {
	const char *name;
	enum guest_entry entry;
	bool required;
} procedures[] = {
	{"malloc", ENTRY_MALLOC, true},
	{"free", ENTRY_FREE, true},
	{"calloc", ENTRY_CALLOC, true},
	{"realloc", ENTRY_REALLOC, true},
	{"malloc_usable_size", ENTRY_USABLE_SIZE, true},
	{"memalign", ENTRY_MEMALIGN, false},
	{"aligned_alloc", ENTRY_ALIGNED_ALLOC, false},
	{"posix_memalign", ENTRY_POSIX_MEMALIGN, false},
	{"valloc", ENTRY_VALLOC, false},
	{"pvalloc", ENTRY_PVALLOC, false},
};
enum { PROCEDURES = sizeof procedures / sizeof *procedures };

/* Allocators that do the same themselves, and wouldn't bear it twice. */
static const char *const sanitizers[] = {"__asan_init", "__hwasan_init", "__msan_init", "__tsan_init", "__lsan_init"};

struct heap_watch *heap_watch_of(struct family *f)
{
	if (!f->heap && !(f->heap = calloc(1, sizeof *f->heap)))
		abort();
	return f->heap;
}

/* Statically linked programs export nothing; what they have a symbol for is theirs. */
static bool provides(const struct module *m, const char *name, uint64_t *offset)
{
	bool is_static = m->is_program && !m->interpreter;
	return is_static ? module_symbol(m, name, offset) : module_exported(m, name, offset);
}

static bool is_allocator(const struct module *m)
{
	uint64_t offset;
	if (module_exported(m, "_rtld_global", &offset)) /* the dynamic loader's own, until it has libc's */
		return false;
	for (size_t i = 0; i < PROCEDURES; i++)
		if (procedures[i].required && !provides(m, procedures[i].name, &offset))
			return false;
	for (size_t i = 0; i < sizeof sanitizers / sizeof *sanitizers; i++)
		if (module_symbol(m, sanitizers[i], &offset))
			return false;
	return true;
}

static bool is_glibc(const struct module *m)
{
	uint64_t offset;
	return provides(m, "__libc_start_main", &offset) && provides(m, "gnu_get_libc_version", &offset);
}

/* Symbol lookup finds the program's first, then that of libraries in the order they were loaded in, downward from the stack; preloaded and linked allocators
 * come before libc's. */
static int preference(const struct loaded *l)
{
	return is_glibc(l->module) ? 0 : l->module->is_program ? 2 : 1; /* libc.so can be run as a program, too */
}

static struct loaded *find_allocator(struct family *f)
{
	struct loaded *best = NULL;
	for (size_t i = 0; i < f->image.modules.count; i++) {
		struct loaded *l = f->image.modules.at[i];
		if (!is_allocator(l->module))
			continue;
		int order = best ? preference(l) - preference(best) : 1;
		if (order > 0 || (!order && l->text.start > best->text.start))
			best = l;
	}
	return best;
}

static int detour(struct family *f, struct loaded *l, uint64_t offset, enum guest_entry entry)
{
	const struct procedure *p = procedures_get(l->module, offset);
	struct weave w = {.offset = offset, .place = WEAVE_DETOUR, .probe = entry - ENTRY_MALLOC};
	if (!l->zone || !p || p->entry != offset)
		return -ENOTSUP;
	w.detour = image_blob_stub(&f->image, l, entry);
	return w.detour ? image_wish(&f->image, l, &w, OWNER_HEAP) : -ENOSPC;
}

static bool is_taken(const uint64_t *offsets, size_t count, uint64_t offset)
{
	for (size_t i = 0; i < count; i++)
		if (offsets[i] == offset)
			return true;
	return false;
}

/* All or nothing: a block that one procedure marks must not be released by another that doesn't know. */
static int detour_all(struct family *f, struct loaded *l)
{
	struct heap_watch *h = heap_watch_of(f);
	uint64_t offsets[PROCEDURES];
	size_t count = 0;
	int status = 0;
	for (size_t i = 0; i < PROCEDURES && !status; i++) {
		uint64_t offset;
		if (!provides(l->module, procedures[i].name, &offset) || is_taken(offsets, count, offset))
			continue; /* several names of one procedure: one detour */
		status = detour(f, l, offset, procedures[i].entry);
		offsets[count++] = offset;
		vec_push(&h->entries, offset);
		if (procedures[i].entry == ENTRY_FREE)
			f->image.tables->heap_free = offset + l->bias;
		h->wanted |= 1u << (procedures[i].entry - ENTRY_MALLOC);
	}
	h->allocator = l->module->key;
	if (status)
		image_unwish(&f->image, OWNER_HEAP);
	return status;
}

/* Of an odd number, modulo 2^64: each step doubles the bits that are right, of which there are three at first. */
static uint64_t inverse(uint64_t odd)
{
	uint64_t x = odd;
	for (int i = 0; i < 5; i++)
		x *= 2 - odd * x;
	return x;
}

void heap_watch_family_started(struct family *f)
{
	struct guest_tables *t = f->image.tables;
	uint64_t random[3];
	if (t->heap_canary)
		return;
	if (getrandom(random, sizeof random, GRND_NONBLOCK) != sizeof random)
		for (int i = 0; i < 3; i++)
			random[i] = (uint64_t)clock_us() * 0x9e3779b97f4a7c15ull >> i;
	t->heap_secret[0] = random[0];
	t->heap_secret[1] = random[1] | 1;
	t->heap_secret[2] = inverse(t->heap_secret[1]);
	t->heap_canary = 0x0101010101010101ull * (0x81 | (random[2] & 0x7f)); /* never a character or a terminator */
}

void heap_watch_modules_known(struct family *f)
{
	struct heap_watch *h = heap_watch_of(f);
	struct loaded *l = f->supervisor->options.no_heap || h->decided ? NULL : find_allocator(f);
	if (!l)
		return;
	h->decided = true;
	log_debug("%s: the allocator is that of %s", f->program, l->module->path);
	f->image.tables->heap_layout = is_glibc(l->module) ? HEAP_LAYOUT_GLIBC : HEAP_LAYOUT_ASK;
	int status = detour_all(f, l);
	if (status)
		log_info("%s: the allocator in %s stays as it is: %s", f->program, l->module->path, strerror(-status));
	else
		h->wished = true;
}

void heap_watch_applied(struct family *f)
{
	struct heap_watch *h = f->heap;
	struct guest_tables *t = f->image.tables;
	if (!h || !h->wished || t->heap_enabled)
		return;
	for (unsigned i = 0; i < GUEST_ORIGINALS; i++)
		if (h->wanted & 1u << i && !t->original[i]) {
			log_info("%s: the allocator could not be detoured", f->program);
			h->wished = false; /* the detours that are there let everything pass */
			return;
		}
	t->heap_plain = t->heap_checks || t->heap_site_count ? 0 : t->heap_layout;
	__atomic_store_n(&t->heap_enabled, 1, __ATOMIC_RELEASE);
}

void heap_watch_family_ended(struct family *f)
{
	for (size_t i = 0; f->heap && i < f->heap->scans.count; i++)
		heap_scan_free(f->heap->scans.at[i]);
	if (f->heap) {
		vec_free(&f->heap->scans);
		vec_free(&f->heap->entries);
		vec_free(&f->heap->damaged);
	}
	free(f->heap);
	f->heap = NULL;
}

uint64_t heap_watch_address(const struct family *f)
{
	return f->image.base + GUEST_PRIVATE_OFFSET + offsetof(struct guest_private, heap);
}

/* --- Armed sites. */

static void arm_address(struct family *f, uint64_t address, uint64_t size_class)
{
	struct guest_tables *t = f->image.tables;
	uint32_t count = t->heap_site_count;
	for (uint32_t i = 0; i < count; i++)
		if (t->heap_site[i].address == address && t->heap_site[i].size_class == size_class)
			return;
	if (count == HEAP_SITES_MAX)
		return;
	t->heap_plain = 0;
	t->heap_site[count] = (struct guest_heap_site){address, size_class};
	__atomic_store_n(&t->heap_site_count, count + 1, __ATOMIC_RELEASE);
}

static void arm_in(struct family *f, struct loaded *l, const struct point *call, uint64_t size_class)
{
	size_t available;
	struct insn i;
	const uint8_t *bytes = module_bytes(l->module, call->offset, &available);
	if (bytes && !insn_decode(bytes, available, call->offset, &i))
		arm_address(f, insn_end(&i) + l->bias, size_class);
}

struct arming {
	struct family *family;
	struct loaded *loaded;
};

static int arm_stored(void *context, const struct point *call, uint64_t size_class)
{
	struct arming *a = context;
	if (!strcmp(call->module.hex, a->loaded->module->key.hex))
		arm_in(a->family, a->loaded, call, size_class);
	return 0;
}

void heap_watch_module_loaded(struct family *f, struct loaded *l)
{
	struct arming a = {f, l};
	if (f->supervisor->options.no_heap)
		return;
	int status = store_heap_sites(f->supervisor->store, arm_stored, &a);
	if (status)
		log_info("armed allocation sites can't be read: %s", store_error(f->supervisor->store));
}

static bool site_of(struct family *f, uint64_t return_address, struct heap_site *out)
{
	uint64_t call;
	struct loaded *l = return_address ? image_module_at(&f->image, return_address - 1) : NULL;
	if (!l || !locate_is_call(l->module, return_address - l->bias, &call))
		return false;
	*out = (struct heap_site){{l->module->key, call}, call + l->bias};
	return true;
}

bool heap_watch_arm(struct family *f, const struct guest_heap_finding *finding, struct heap_site *out)
{
	struct supervisor *s = f->supervisor;
	uint64_t classes[2];
	bool is_full = f->image.tables->heap_site_count == HEAP_SITES_MAX;
	if (!site_of(f, finding->site, out))
		return false;
	for (unsigned k = heap_classes(finding, classes); k-- > 0;) {
		for (size_t n = 0; n < s->families.count; n++) {
			struct loaded *l = image_module(&s->families.at[n]->image, &out->call.module);
			if (l)
				arm_in(s->families.at[n], l, &out->call, classes[k]);
		}
		if (!is_full && store_heap_site_put(s->store, &out->call, classes[k]))
			log_error("the allocation site could not be stored: %s", store_error(s->store));
	}
	return true;
}
