/* A state file damaged at random: opening and reading it gives rows or an error with a reason, and nothing worse. The input is a list of
 * six-byte damages: offset (4 bytes), exclusive-or (1), and how many bytes in a row (1). */
#include "node/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[64], file[80], wal[80];
static uint8_t *image;
static size_t image_size;

static void must(int error)
{
	if (error)
		abort();
}

static void fill(struct store *s)
{
	struct invariant i = {.kind = INVARIANT_ONE_OF, .procedure = 16, .a.at = {{"c0ffee"}, 20}, .count = 2, .value = {1, 2}};
	struct location l = {.at = i.a.at, .last = {.at = i.a.at, .depth = 2, .stack = {{.at = i.a.at}, {.at = i.a.at}}}};
	must(store_begin(s));
	must(store_module_seen(s, &i.a.at.module, "/lib/example.so"));
	must(store_location_put(s, &l));
	l.last.id = l.id;
	for (uint64_t n = 0; n < 20; n++) {
		struct check c = {.location = l.id, .invariant = i};
		struct patch p = {.failure = l.id, .at = i.a.at, .guard = GUARD_INVARIANT, .invariant = i};
		struct event e = {.kind = "failure", .text = "example"};
		struct guest_row g = {.pid = n + 1, .program = "/bin/example"};
		i.a.at.offset++;
		must(store_invariant_put(s, &i) || store_check_put(s, &c) || store_patch_put(s, &p) || store_event_add(s, &e) || store_guest_put(s, &g));
		must(store_occurrence_add(s, &l.last, "died") || store_procedure_state_put(s, &i.a.at.module, n, "state", 5));
	}
	must(store_commit(s));
	store_close(s);
}

static void clean_up(void)
{
	unlink(file);
	unlink(wal);
	snprintf(wal, sizeof wal, "%s/state.db-shm", folder);
	unlink(wal);
	rmdir(folder);
}

static void make_image(void)
{
	struct store *s;
	snprintf(folder, sizeof folder, "%s/fuzz-store-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(folder))
		abort();
	snprintf(file, sizeof file, "%s/state.db", folder);
	snprintf(wal, sizeof wal, "%s/state.db-wal", folder);
	atexit(clean_up);
	must(store_open(folder, &s));
	fill(s);
	int fd = open(file, O_RDONLY);
	struct stat st;
	must(fstat(fd, &st));
	image_size = st.st_size;
	image = malloc(image_size);
	if (!image || read(fd, image, image_size) != (ssize_t)image_size)
		abort();
	close(fd);
}

static void write_damaged(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(image_size);
	uint32_t offset;
	memcpy(copy, image, image_size);
	for (; size >= 6; data += 6, size -= 6) {
		memcpy(&offset, data, sizeof offset);
		for (unsigned n = 0; n <= data[5]; n++)
			copy[(offset + n) % image_size] ^= data[4];
	}
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (write(fd, copy, image_size) != (ssize_t)image_size)
		abort();
	close(fd);
	unlink(wal);
	free(copy);
}

static int see_invariant(void *context, const struct invariant *i)
{
	return i->count > ONE_OF_MAX || i->kind > INVARIANT_SP_OFFSET ? -1000 : 0;
}

static int see_state(void *context, const struct module_key *module, uint64_t procedure, const void *state, size_t size)
{
	return 0;
}

static int see_occurrence(void *context, const struct failure *f, const char *outcome)
{
	return f->depth > STACK_DEPTH_MAX || f->monitor >= MONITOR_COUNT ? -1000 : 0;
}

static int see_location(void *context, const struct location *l)
{
	if (l->state >= LOCATION_STATE_COUNT || see_occurrence(context, &l->last, ""))
		return -1000;
	int error = store_occurrences(context, l->id, see_occurrence, NULL);
	return error == -1000 ? error : 0;
}

static int see_check(void *context, const struct check *c)
{
	return see_invariant(context, &c->invariant);
}

static int see_patch(void *context, const struct patch *p)
{
	return p->state > PATCH_DISABLED || p->action > ACTION_DISCARD ? -1000 : see_invariant(context, &p->invariant);
}

static int see_event(void *context, const struct event *e)
{
	return 0;
}

static int see_guest(void *context, const struct guest_row *g)
{
	return 0;
}

static int see_module(void *context, const struct module_key *key, const char *path)
{
	return 0;
}

static void check(const struct store *s, int error)
{
	if (error == -1000 || (error && !*store_error(s)))
		abort();
}

static void read_all(struct store *s)
{
	check(s, store_invariants(s, NULL, NULL, see_invariant, NULL));
	check(s, store_procedure_states(s, see_state, NULL));
	check(s, store_locations(s, see_location, s));
	check(s, store_checks(s, 0, see_check, NULL));
	check(s, store_patches(s, 0, see_patch, NULL));
	check(s, store_events(s, 0, see_event, NULL));
	check(s, store_guests(s, see_guest, NULL));
	check(s, store_modules(s, see_module, NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct store *s;
	if (!image)
		make_image();
	write_damaged(data, size);
	int error = store_open(folder, &s);
	if (error) {
		check(NULL, error);
		return 0;
	}
	read_all(s);
	store_close(s);
	return 0;
}
