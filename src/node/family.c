#include "node/family.h"
#include "node/family_private.h"

#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <fcntl.h>
#include <link.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "engine/inherit.h"
#include "inject/filters.h"
#include "inject/maps.h"
#include "inject/memory.h"
#include "node/firewall.h"
#include "node/learning.h"
#include "node/module_cache.h"
#include "node/provoke.h"
#include "node/signal_descriptors.h"
#include "node/supervisor.h"
#include "node/weave_heap_writes.h"
#include "node/weave_shadow.h"
#include "node/weavers.h"

/* Is this descriptor one of a process of ours, and of the program that we know? Another process may have got the number; the process may have executed another
 * program, one with more privileges even. A number isn't used again while its pidfd tells of life, and no other program has the blob there. */
static bool is_ours(void *context, pid_t pid, int mem_fd)
{
	struct family *f = context;
	struct guest_header header;
	const struct family_process *p = family_process(f, pid);
	return p && !syscall(SYS_pidfd_send_signal, p->pidfd, 0, NULL, 0) && pread(mem_fd, &header, sizeof header, f->image.base) == sizeof header &&
	       !memcmp(&header, f->image.code_host, sizeof header);
}

static int write_text(void *context, pid_t pid, uint64_t address, const void *bytes, size_t size)
{
	return memory_write_checked(pid, address, bytes, size, is_ours, context);
}

/* /proc/PID/mem ignores protection, and addresses of contexts are the guest's word: it must not have its text written for it. */
int family_write(struct family *f, pid_t pid, uint64_t address, const void *bytes, size_t size)
{
	struct maps maps;
	int status = maps_read(pid, &maps);
	uint64_t at = address;
	for (size_t i = 0; !status && i < maps.count && at - address < size; i++)
		if (at >= maps.at[i].start && at < maps.at[i].end && maps.at[i].writable)
			at = maps.at[i].end;
	maps_free(&maps);
	return status ? status : at - address < size ? -EFAULT : memory_write_checked(pid, address, bytes, size, is_ours, f);
}

static int read_text(void *context, pid_t pid, uint64_t address, void *bytes, size_t size)
{
	return memory_read_all(pid, address, bytes, size);
}

/* Returns when every processor has been through the kernel, and so has serialised. An expedited barrier interrupts those that run a registered process; the
 * way back from an interrupt serialises, and so does a change of address spaces. */
static void synchronise(void *context)
{
	const struct family *f = context;
	if (f->is_stopped)
		return; /* they do so when they go on */
	if (f->image.tables->legacy.expedited && !syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0))
		return;
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0)) {
		struct timespec tick = {0, 20000000};
		nanosleep(&tick, NULL); /* no such call here: longer than a scheduler tick */
	}
}

uint64_t process_start_time(pid_t pid)
{
	char name[32], text[1024];
	snprintf(name, sizeof name, "/proc/%d/stat", pid);
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	if (got <= 0)
		return 0;
	text[got] = 0;
	const char *at = strrchr(text, ')');
	unsigned long long start = 0;
	if (at)
		sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &start);
	return start;
}

bool process_has_thread(pid_t pid, pid_t tid)
{
	char name[64];
	snprintf(name, sizeof name, "/proc/%d/task/%d", pid, tid);
	return pid > 0 && tid > 0 && !access(name, F_OK);
}

struct family_process *family_process(struct family *f, pid_t pid)
{
	for (size_t i = 0; i < f->processes.count; i++)
		if (f->processes.at[i].pid == pid)
			return &f->processes.at[i];
	return NULL;
}

int family_add_process(struct family *f, pid_t pid, pid_t parent, uint32_t generation)
{
	if (family_process(f, pid))
		return 0;
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		return -errno;
	vec_push(&f->processes, (struct family_process){pid, pidfd, process_start_time(pid)});
	image_add_process(&f->image, pid, generation);
	for (size_t i = 0; i < f->image.modules.count; i++) {
		struct loaded *l = f->image.modules.at[i];
		if (parent && image_process_has(l, parent))
			vec_push(&l->in, pid);
	}
	supervisor_watch_process(f->supervisor, f, pid, pidfd);
	return 0;
}

/* A process that was killed between posting an event and seeing the reply leaves its slot to us. */
static void reclaim_slots(struct guest_shared *shared, pid_t pid)
{
	for (int i = 0; i < GUEST_SLOTS; i++) {
		uint32_t state = __atomic_load_n(&shared->slot[i].state, __ATOMIC_ACQUIRE);
		if (state != SLOT_FREE && (pid_t)shared->slot[i].pid == pid)
			__atomic_compare_exchange_n(&shared->slot[i].state, &state, SLOT_FREE, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
	}
}

void family_remove_process(struct family *f, pid_t pid)
{
	reclaim_slots(f->image.shared, pid);
	for (size_t i = 0; i < f->processes.count; i++)
		if (f->processes.at[i].pid == pid) {
			supervisor_unwatch_process(f->supervisor, f->processes.at[i].pidfd);
			close(f->processes.at[i].pidfd);
			f->processes.at[i] = f->processes.at[--f->processes.count];
			break;
		}
	image_remove_process(&f->image, pid);
	memory_forget(pid);
	f->last_pid = pid;
}

pid_t family_process_of_thread(struct family *f, pid_t tid)
{
	if (family_process(f, tid))
		return tid;
	for (size_t i = 0; i < f->processes.count; i++)
		if (process_has_thread(f->processes.at[i].pid, tid))
			return f->processes.at[i].pid;
	return 0;
}

static void add_stray(struct family *f, pid_t pid)
{
	uint32_t generation = 0;
	uint64_t at = f->plan.base + GUEST_PRIVATE_OFFSET + offsetof(struct guest_private, generation);
	if (memory_read_all(pid, at, &generation, sizeof generation) || family_add_process(f, pid, 0, f->image.generation))
		return;
	family_modules(f, pid, true);
	if (generation != f->image.generation)
		image_update_process(&f->image, pid, generation, true);
}

static void find_stray(struct family *f, pid_t pid)
{
	if (family_owns(f, pid))
		add_stray(f, pid);
}

static void find_strays_above(struct family *f, pid_t pid)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	while (proc && (e = readdir(proc)))
		if (atoi(e->d_name) > pid) /* children have higher numbers, but for a wrap that is rarer than this case */
			find_stray(f, atoi(e->d_name));
	if (proc)
		closedir(proc);
}

/* The number given out last; 0: unknown. */
static pid_t newest_process(void)
{
	char text[128] = {0};
	int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t got = read(fd, text, sizeof text - 1);
	close(fd);
	const char *last = got > 0 ? strrchr(text, ' ') : NULL;
	return last ? atoi(last) : 0;
}

bool family_find_strays(struct family *f)
{
	enum { FEW = 500 };
	pid_t newest = newest_process();
	if (newest >= f->last_pid && newest - f->last_pid < FEW)
		for (pid_t pid = f->last_pid + 1; pid <= newest; pid++)
			find_stray(f, pid);
	else
		find_strays_above(f, f->last_pid);
	return f->processes.count;
}

/* It has our tables where the family has them: nobody else knows the secret that is in there. */
bool family_owns(struct family *f, pid_t pid)
{
	uint64_t at = f->plan.base + GUEST_TABLES_OFFSET + offsetof(struct guest_tables, heap_secret), secret[2];
	return !memory_read_all(pid, at, secret, sizeof secret) && !memcmp(secret, f->image.tables->heap_secret, sizeof secret);
}

/* Of ClearView's own. */
static bool is_zone(const struct mapping *map)
{
	static const char ours[] = "/memfd:" CODE_MEMFD;
	return !strncmp(map->path, ours, sizeof ours - 1);
}

/* The load bias of a module from one of its executable mappings; false if the mapping is none of its segments. */
static bool bias_of(const struct module *m, const struct mapping *map, uint64_t *bias)
{
	for (size_t i = 0; i < m->segment_count; i++) {
		const struct segment *s = &m->segments[i];
		uint64_t first = s->file_offset & ~4095ul; /* of which a part may have been made executable alone */
		if (s->protection & PROT_EXEC && map->file_offset >= first && map->file_offset < s->file_offset + s->file_size) {
			*bias = map->start - (map->file_offset - first) - (s->offset & ~4095ul);
			return true;
		}
	}
	return false;
}

static struct loaded *find_loaded(struct family *f, const struct module *m, uint64_t bias)
{
	for (size_t i = 0; i < f->image.modules.count; i++)
		if (f->image.modules.at[i]->module == m && f->image.modules.at[i]->bias == bias)
			return f->image.modules.at[i];
	return NULL;
}

static void forget_in(struct loaded *l, pid_t pid)
{
	for (size_t i = 0; i < l->in.count; i++)
		if (l->in.at[i] == pid)
			l->in.at[i--] = l->in.at[--l->in.count];
}

/* No program has so many; one that maps files to keep us busy could. */
static bool is_full(struct family *f)
{
	enum { MODULES_MAX = 2048 };
	bool full = f->image.modules.count >= MODULES_MAX;
	if (full && !f->has_many_modules)
		log_warning("%s: more than %d modules: those beyond stay native", f->program, MODULES_MAX);
	f->has_many_modules |= full;
	return full;
}

static void note_mapping(struct family *f, pid_t pid, const struct mapping *map)
{
	uint64_t bias;
	bool is_text = map->executable || f->image.tables->lazy;
	struct module *m = is_text && !map->writable && map->inode && !is_zone(map) ? module_cache_get(pid, map) : NULL;
	if (!m || !bias_of(m, map, &bias))
		return;
	struct loaded *l = find_loaded(f, m, bias);
	bool is_new = !l;
	if (is_new && is_full(f))
		return;
	if (is_new)
		l = image_load(&f->image, m, bias);
	l->present = true;
	if (!image_process_has(l, pid)) {
		vec_push(&l->in, pid);
		if (!is_new && f->loading == pid)
			image_join(&f->image, l, pid);
	}
	if (is_new)
		weavers_module_loaded(f, l);
}

static void unload_absent(struct family *f, pid_t pid)
{
	for (size_t i = 0; i < f->image.modules.count; i++) {
		struct loaded *l = f->image.modules.at[i];
		if (l->present)
			continue;
		forget_in(l, pid);
		if (!l->in.count) {
			weavers_module_unloaded(f, l);
			image_unload(&f->image, l);
			i--;
		}
	}
}

static void note_mappings(struct family *f, pid_t pid, const struct maps *maps)
{
	for (size_t i = 0; i < f->image.modules.count; i++)
		f->image.modules.at[i]->present = false;
	for (size_t i = 0; i < maps->count; i++)
		note_mapping(f, pid, &maps->at[i]);
}

bool family_note_mappings(struct family *f, pid_t pid)
{
	struct maps maps;
	if (maps_read(pid, &maps))
		return false;
	note_mappings(f, pid, &maps);
	maps_free(&maps);
	return true;
}

static void modules_from(struct family *f, pid_t pid, const struct maps *maps, bool live)
{
	note_mappings(f, pid, maps);
	unload_absent(f, pid);
	weavers_modules_known(f);
	family_apply(f, live);
	for (size_t i = 0; i < f->image.modules.count; i++)
		f->image.modules.at[i]->fresh = false;
}

void family_modules(struct family *f, pid_t pid, bool live)
{
	struct maps maps;
	if (maps_read(pid, &maps))
		return; /* it has gone */
	modules_from(f, pid, &maps, live);
	maps_free(&maps);
}

void family_loads(struct family *f, pid_t pid, bool live)
{
	f->loading = pid;
	family_modules(f, pid, live);
	f->loading = 0;
}

void family_apply(struct family *f, bool live)
{
	unsigned refused = image_weave(&f->image);
	int status = image_commit(&f->image, live);
	if (refused)
		log_info("%s: %u procedures could not be redirected", f->program, refused);
	if (status)
		log_warning("%s: writing into the guest failed: %s", f->program, strerror(-status));
	weavers_applied(f);
	f->landings_seen = f->image.shared->landings; /* while text is being written, its threads land: that doesn't make an address hot */
}

static void hook_loader(struct family *f, struct loaded *loader)
{
	if (!module_symbol(loader->module, "_dl_debug_state", &f->hook))
		return;
	uint64_t debug;
	if (module_exported(loader->module, "_r_debug", &debug))
		f->image.tables->link_state = debug + loader->bias + offsetof(struct r_debug, r_state);
	uint64_t stub = image_blob_stub(&f->image, loader, ENTRY_MODULES);
	int status = stub ? image_hook(&f->image, loader, f->hook, stub) : -ENOSPC;
	if (status)
		log_warning("%s: no hook in the dynamic loader: libraries stay native: %s", f->program, strerror(-status));
}

static int find_anchors(pid_t pid, const struct maps *maps, uint64_t *program, uint64_t *loader, struct module **program_module)
{
	char exe[PATH_MAX], link[32];
	snprintf(link, sizeof link, "/proc/%d/exe", pid);
	ssize_t n = readlink(link, exe, sizeof exe - 1);
	if (n < 0)
		return -errno;
	exe[n] = 0;
	*program = *loader = 0;
	for (size_t i = 0; i < maps->count; i++) {
		const struct mapping *m = &maps->at[i];
		if (!m->executable || !m->inode || is_zone(m))
			continue;
		bool is_program = !strcmp(m->path, exe);
		uint64_t *where = is_program ? program : loader;
		if (!*where)
			*where = m->start;
		if (is_program)
			*program_module = module_cache_get(pid, m);
	}
	return *program && *program_module ? 0 : -ENOEXEC;
}

/* The hook's call is when text is made non-executable. */
static void redirect_at_once(struct family *f)
{
	f->image.tables->lazy = 0;
	for (size_t i = 0; i < f->image.modules.count; i++)
		weavers_redirect_all(f, f->image.modules.at[i]);
	family_apply(f, false);
}

static void load_first_modules(struct family *f, pid_t pid, const struct maps *maps, uint64_t loader)
{
	struct loaded *l;
	modules_from(f, pid, maps, false);
	if (loader && (l = image_module_at(&f->image, loader)))
		hook_loader(f, l);
	if (f->image.tables->lazy && !f->hook)
		redirect_at_once(f);
	if (!loader || !l)
		learning_modules_ready(f->supervisor, f, false);
}

/* What the next supervisor needs, should this one be killed. */
static void leave_legacy(struct family *f)
{
	const struct guard_options *o = &f->supervisor->options;
	struct guest_tables *t = f->image.tables;
	struct stat state;
	t->legacy.redirect_all = o->redirect_all + o->direct_calls;
	t->legacy.only_traps = o->only_traps;
	t->legacy.visits = o->visits;
	t->legacy.provoke = o->provoke;
	t->legacy.strict = o->strict;
	t->legacy.no_heap = o->no_heap;
	t->legacy.learn_full = o->learn_full;
	t->legacy.debug = o->debug;
	t->legacy.learn_percent = o->learn_percent;
	t->legacy.checks = o->checks;
	if (!stat(store_directory(f->supervisor->store), &state)) {
		t->legacy.state_device = state.st_dev;
		t->legacy.state_inode = state.st_ino;
	}
	t->legacy.supervisor_start = process_start_time(getpid());
	__atomic_store_n(&t->supervisor, getpid(), __ATOMIC_RELEASE);
}

static struct family *family_new(struct supervisor *s)
{
	static uint32_t numbers;
	struct family *f = calloc(1, sizeof *f);
	if (!f)
		abort();
	f->supervisor = s;
	f->number = ++numbers;
	return f;
}

int family_prepare(struct supervisor *s, pid_t pid, const struct maps *maps, struct family **out, uint64_t *loader, const char **why)
{
	uint64_t program;
	struct family *f = family_new(s);
	*why = "can't read what the program has mapped";
	int status = find_anchors(pid, maps, &program, loader, &f->program_module);
	if (!status) {
		*why = "no room in the address space near the program's code";
		status = boot_plan_make(maps, program, *loader, &f->plan);
	}
	if (!status) {
		*why = "can't make shared memory";
		status = guest_memory_make(&f->memory);
	}
	if (status) {
		free(f);
		return status;
	}
	struct text_access access = {write_text, synchronise, f, read_text};
	image_init(&f->image, f->memory.code, f->memory.shared, f->plan.base, &access);
	f->image.code_file = f->memory.code_fd;
	f->image.redirect_all = s->options.redirect_all;
	f->image.direct_calls = s->options.direct_calls;
	f->image.only_traps = s->options.only_traps;
	f->image.visits = s->options.visits;
	f->image.snapshots = module_cache_snapshots();
	weave_shadow_begin(f);
	weave_heap_writes_begin(f);
	leave_legacy(f);
	for (int i = 0; i < 2 && f->plan.zone[i]; i++)
		image_add_zone(&f->image, f->plan.zone[i], f->plan.above[i]);
	provoke_family(f);
	f->image.tables->legacy.no_exec_start = f->plan.no_exec_start;
	f->image.tables->legacy.no_exec_size = f->plan.no_exec_size;
	snprintf(f->program, sizeof f->program, "%s", f->program_module->path);
	f->plan.bell_offset = bell_take(&s->bell);
	*out = f;
	return 0;
}

/* Its own word; who lies about it has its own text in disorder. */
static bool is_registered(const struct family *f, pid_t pid)
{
	uint32_t registered = 0;
	uint64_t at = f->plan.base + GUEST_PRIVATE_OFFSET + offsetof(struct guest_private, expedited);
	return !memory_read_all(pid, at, &registered, sizeof registered) && registered;
}

/* What the program before had open. */
static void inherit_signal_descriptors(struct family *f, pid_t pid)
{
	uint64_t set = signal_descriptors_find(pid);
	if (set && !signal_descriptors_tell(f, pid, set))
		weave_signal_descriptors(f);
}

static int start(struct supervisor *s, pid_t pid, const struct maps *maps, struct family **out, int *signal, const char **why)
{
	uint64_t loader;
	int step = 0;
	struct family *f;
	int status = family_prepare(s, pid, maps, &f, &loader, why);
	if (status)
		return status;
	firewall_begin(f);
	bool filtered = filters_exist(pid); /* they may forbid what isn't necessary */
	f->plan.expedites = !filtered;
	*why = "can't set up the program (is writing to /proc/PID/mem forbidden here?)";
	status = boot_run(pid, &f->memory, s->bell.fd, &f->plan, &step, signal);
	if (status) {
		log_warning("boot failed at step %d: %s", step, strerror(-status));
		family_free(f);
		return status;
	}
	status = family_add_process(f, pid, 0, f->image.generation);
	weavers_family_started(f);
	inherit_signal_descriptors(f, pid);
	f->image.tables->legacy.expedited = is_registered(f, pid);
	f->image.tables->lazy = s->options.lazy && !s->options.direct_calls && loader && !filtered;
	load_first_modules(f, pid, maps, loader);
	*out = f;
	return 0;
}

int family_start(struct supervisor *s, pid_t pid, struct family **out, int *signal, const char **why)
{
	struct maps maps;
	*signal = 0;
	*why = "can't read what the program has mapped";
	int status = maps_read(pid, &maps);
	if (status)
		return status;
	status = start(s, pid, &maps, out, signal, why);
	maps_free(&maps);
	return status;
}

void family_hook_loaders(struct family *f)
{
	uint64_t hook;
	for (size_t i = 0; i < f->image.modules.count; i++) {
		struct loaded *l = f->image.modules.at[i];
		if (l->zone && !l->module->is_program && module_symbol(l->module, "_dl_debug_state", &hook))
			hook_loader(f, l);
	}
}

/* Everything that is redirected in any of the processes gets a copy of ours; then what the former supervisor wove is out of use. */
static void take_over_text(struct family *f)
{
	uint32_t former_probes = f->image.next_probe;
	unsigned lost = 0;
	for (size_t i = 0; i < f->processes.count; i++)
		family_note_mappings(f, f->processes.at[i].pid);
	weavers_modules_known(f);
	image_weave(&f->image);
	for (size_t i = 0; i < f->processes.count; i++)
		lost += image_inherit_text(&f->image, f->processes.at[i].pid);
	family_hook_loaders(f);
	family_apply(f, true);
	if (lost)
		log_warning("%s: %u procedures stay as the former supervisor left them", f->program, lost);
	else
		image_retire_probes(&f->image, former_probes);
	learning_modules_ready(f->supervisor, f, true);
}

static void name_program(struct family *f, pid_t pid)
{
	uint64_t program, loader;
	struct maps maps;
	if (f->program_module || maps_read(pid, &maps))
		return;
	if (!find_anchors(pid, &maps, &program, &loader, &f->program_module))
		snprintf(f->program, sizeof f->program, "%s", f->program_module->path);
	maps_free(&maps);
}

int family_take_over(struct supervisor *s, const struct guest_memory *memory, uint64_t base, uint64_t bell, const pid_t *pids, size_t count, struct family **out)
{
	struct family *f = family_new(s);
	struct text_access access = {write_text, synchronise, f, read_text};
	f->memory = *memory;
	f->plan.base = base;
	f->hook_calls = FIRST_HOOK_CALLS;
	f->plan.bell_offset = bell;
	int status = image_inherit(&f->image, memory->code, memory->shared, base, &access);
	if (!status)
		status = bell_claim(&s->bell, bell);
	if (status) {
		free(f);
		return status;
	}
	for (size_t i = 0; i < f->image.zone_count; i++)
		f->plan.zone[i] = f->image.zones[i].start;
	f->plan.no_exec_start = f->image.tables->legacy.no_exec_start;
	f->plan.no_exec_size = f->image.tables->legacy.no_exec_size;
	leave_legacy(f);
	weavers_family_started(f);
	for (size_t i = 0; i < count; i++) {
		name_program(f, pids[i]);
		family_add_process(f, pids[i], 0, f->image.generation);
		if (signal_descriptors_find(pids[i]))
			weave_signal_descriptors(f);
	}
	take_over_text(f);
	*out = f;
	return 0;
}

void family_free(struct family *f)
{
	weavers_family_ended(f);
	while (f->processes.count)
		family_remove_process(f, f->processes.at[0].pid);
	bell_give_back(&f->supervisor->bell, f->plan.bell_offset);
	image_release(&f->image);
	guest_memory_release(&f->memory);
	free(f);
}
