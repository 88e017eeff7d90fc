/* A guest that turns on its supervisor: hostile SECONDS SEED PID...
 *
 * Scribbles, from several threads at once, over everything that its supervisor reads: mailbox, tallies, observation ring, bell, its private data, and the
 * contexts, findings and stacks that its events point to. PIDs are those of others whom its events name as their senders. It may die of it. */
#define _GNU_SOURCE
#include <clearview/guest.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct guest_shared *shared;
static struct guest_bell *bell;
static struct guest_private *private;
static uint64_t code_start, code_end; /* of the copies */
static pid_t others[16];
static int other_count;
static uint64_t play[1 << 16];        /* what events point to */
static time_t end;

extern char etext[], __executable_start[];

/* xorshift64*, one for each thread */
static uint64_t next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

/* No libc: what is scribbled over may be what its allocator goes through. */
static void find_regions(void)
{
	static char text[1 << 20];
	int fd = open("/proc/self/maps", O_RDONLY);
	size_t used = 0;
	for (ssize_t got; (got = read(fd, text + used, sizeof text - 1 - used)) > 0;)
		used += got;
	close(fd);
	for (char *line = text; *line; line = strchr(line, '\n') + 1) {
		char *stop = strchr(line, '\n');
		*stop = 0;
		char *dash, *name = strstr(line, "memfd:clearview-");
		uint64_t from = strtoull(line, &dash, 16), to = strtoull(dash + 1, NULL, 16);
		*stop = '\n';
		if (!name || name > stop)
			continue;
		if (!strncmp(name + 16, "shared", 6))
			shared = (void *)from;
		else if (!strncmp(name + 16, "bell", 4))
			bell = (void *)from;
		else if (to > code_end)
			code_start = from, code_end = to;
	}
	private = (void *)((uint64_t)shared - GUEST_SHARED_OFFSET + GUEST_PRIVATE_OFFSET);
}

static uint64_t some_address(uint64_t *state)
{
	static const uint64_t odd[] = {0, 8, 0xfff, ~0ull, ~0ull - 7, 1ull << 47, 0x7fffffffffff, 0x8000000000000000, 0xffffffffff600000};
	uint64_t here;
	switch (next(state) % 8) {
	case 0: return odd[next(state) % (sizeof odd / sizeof *odd)];
	case 1: return (uint64_t)__executable_start + next(state) % (etext - __executable_start);
	case 2: return (uint64_t)&malloc + next(state) % 65536;
	case 3: return (uint64_t)shared + next(state) % GUEST_SHARED_SIZE;
	case 4: return code_start + next(state) % (code_end - code_start);
	case 5: return (uint64_t)&here + next(state) % 4096 - 2048;
	default: return (uint64_t)play + next(state) % sizeof play;
	}
}

static uint64_t some_word(uint64_t *state)
{
	switch (next(state) % 4) {
	case 0: return next(state) % 64;
	case 1: return 1ull << next(state) % 64;
	case 2: return next(state);
	default: return some_address(state);
	}
}

static uint32_t some_pid(uint64_t *state)
{
	switch (next(state) % 8) {
	case 0: return next(state);
	case 1: return next(state) % 3;
	case 2: return -(uint32_t)(next(state) % 100);
	case 3: return next(state) % 32768;
	case 4: return other_count ? others[next(state) % other_count] : getppid();
	default: return getpid();
	}
}

static void play_on(uint64_t *state)
{
	for (int i = 0; i < 64; i++)
		play[next(state) % (sizeof play / sizeof *play)] = some_word(state);
	struct guest_heap_finding *f = (void *)(play + next(state) % 1024);
	f->kind = HEAP_DAMAGED + next(state) % 3;
	f->site = some_address(state);
}

static void *mailbox(void *seed)
{
	uint64_t state = (uint64_t)seed;
	while (time(NULL) < end) {
		for (int n = 0; n < 20; n++) {
			struct guest_slot *s = &shared->slot[next(&state) % GUEST_SLOTS];
			bool to_self = next(&state) % 2;
			s->kind = next(&state) % 16 ? next(&state) % (EVENT_TEXT + 3) : next(&state);
			s->pid = to_self ? (uint32_t)getpid() : some_pid(&state);
			s->tid = to_self ? (uint32_t)syscall(SYS_gettid) : some_pid(&state);
			for (int i = 0; i < 6; i++)
				s->arg[i] = some_word(&state);
			s->state = next(&state) % 4 ? SLOT_POSTED : next(&state) % 8;
			play_on(&state);
		}
		bell->rings++;
		syscall(SYS_futex, &bell->rings, 1 /* FUTEX_WAKE */, 1);
		if (next(&state) % 4 == 0)
			usleep(500); /* so that each also meets the others' long ways */
	}
	return NULL;
}

static void *bells(void *seed)
{
	uint64_t state = (uint64_t)seed;
	while (time(NULL) < end) {
		for (int i = 0; i < 100000; i++) {
			bell->sleeping = 0;
			bell->rings = next(&state);
		}
		usleep(100000);
	}
	return NULL;
}

static void *records(void *seed)
{
	uint64_t state = (uint64_t)seed;
	while (time(NULL) < end) {
		for (int n = 0; n < 500; n++) {
			uint64_t *tally = (void *)&shared->tally[next(&state) % 4096], *record = (void *)&shared->ring[next(&state) % GUEST_RING];
			tally[next(&state) % (sizeof(struct guest_tally) / 8)] = some_word(&state);
			record[next(&state) % (sizeof(struct guest_record) / 8)] = some_word(&state);
		}
		shared->ring_head = next(&state) % 2 ? shared->ring_head + next(&state) % 1000 : some_word(&state);
		shared->ring_tail = next(&state) % 2 ? shared->ring_tail : some_word(&state);
		shared->landings += next(&state) % 1000;
		shared->last_landing = some_address(&state);
		shared->records_dropped = some_word(&state);
		shared->ring_wait = next(&state) % 2;
		usleep(200);
	}
	return NULL;
}

/* The heap monitor's data. Nothing in here allocates any more. */
static void *own_data(void *seed)
{
	uint64_t state = (uint64_t)seed;
	while (time(NULL) < end) {
		uint64_t *heap = (uint64_t *)&private->heap;
		heap[next(&state) % (sizeof private->heap / 8)] = next(&state) % 2 ? (uint64_t)play + 8 * (next(&state) % 1024) : some_word(&state);
		private->heap.region_count = next(&state) % 8192;
		private->generation = some_word(&state);
		usleep(200);
	}
	return NULL;
}

/* Comes and goes: processes that don't introduce themselves, or as someone else's child. */
static void *children(void *seed)
{
	uint64_t state = (uint64_t)seed;
	while (time(NULL) < end) {
		pid_t child = next(&state) % 2 ? fork() : syscall(SYS_fork);
		if (!child) {
			if (next(&state) % 2)
				execl("/bin/true", "true", NULL);
			_exit(0);
		}
		if (child > 0)
			waitpid(child, NULL, 0);
		usleep(1000);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static void *(*const doings[])(void *) = {mailbox, mailbox, bells, records, own_data, children};
	enum { DOINGS = sizeof doings / sizeof *doings };
	pthread_t threads[DOINGS];
	end = time(NULL) + atoi(argv[1]);
	uint64_t seed = atoi(argv[2]) * 2 + 1;
	for (int i = 3; i < argc && other_count < 16; i++)
		others[other_count++] = atoi(argv[i]);
	find_regions();
	if (!shared || !bell) {
		puts("not a guest");
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < DOINGS; i++)
		pthread_create(&threads[i], NULL, doings[i], (void *)(seed * 0x9e3779b97f4a7c15ull + i));
	while (time(NULL) < end)
		usleep(10000);
	_exit(0);
}
