/* Stands in for libFuzzer where the compiler is gcc: replays a corpus, then mutates it at random for a bounded time.
 *
 *   fuzz_NAME [-seconds=N] [-seed=N] [FILE|FOLDER...]
 *
 * An input that kills the process is left in $TMPDIR/crash-NAME; give it as FILE to see it again. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/vec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void __sanitizer_set_death_callback(void (*callback)(void));
const char *__asan_default_options(void);

/* abort() is how a fuzzer says that something does not hold: it must be reported as any other death. */
const char *__asan_default_options(void)
{
	return "handle_abort=1";
}

enum { INPUT_MAX = 1 << 16, MUTATIONS_MAX = 8 };

struct input {
	uint8_t *data;
	size_t size;
};

static VEC(struct input) corpus;
static const struct input *running;
static char crash_path[512];
static uint64_t random_state;

/* xorshift64* */
static uint64_t random_below(uint64_t limit)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * 0x2545f4914f6cdd1dull >> 16) % limit;
}

static void save_crash(void)
{
	int fd = open(crash_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd >= 0 && running && write(fd, running->data, running->size) == (ssize_t)running->size)
		fprintf(stderr, "the input is in %s\n", crash_path);
}

static void run(const struct input *in)
{
	running = in;
	LLVMFuzzerTestOneInput(in->data, in->size);
	running = NULL;
}

static void add_file(const char *path)
{
	struct input in = {.data = malloc(INPUT_MAX)};
	FILE *f = fopen(path, "rb");
	if (!f || !in.data) {
		perror(path);
		exit(2);
	}
	in.size = fread(in.data, 1, INPUT_MAX, f);
	fclose(f);
	vec_push(&corpus, in);
}

static void add(const char *path)
{
	char name[1024];
	DIR *folder = opendir(path);
	if (!folder) {
		add_file(path);
		return;
	}
	for (struct dirent *entry; (entry = readdir(folder));)
		if (entry->d_name[0] != '.') {
			snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
			add_file(name);
		}
	closedir(folder);
}

static void flip_bit(struct input *in)
{
	if (in->size)
		in->data[random_below(in->size)] ^= 1 << random_below(8);
}

static void set_byte(struct input *in)
{
	static const uint8_t interesting[] = {0, 1, 0x7f, 0x80, 0xff, '"', '{', '}', '-', '9', 'e'};
	if (in->size)
		in->data[random_below(in->size)] = random_below(2) ? random_below(256) : interesting[random_below(sizeof interesting)];
}

static void set_word(struct input *in)
{
	static const uint64_t interesting[] = {0, 1, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX, 1ull << 63, 0x1000, 0xfffffffffffff000};
	size_t size = 1u << random_below(4);
	if (in->size >= size)
		memcpy(in->data + random_below(in->size - size + 1), &interesting[random_below(sizeof interesting / sizeof *interesting)], size);
}

static void cut(struct input *in)
{
	size_t length = in->size ? random_below(in->size < 64 ? in->size : 64) + 1 : 0;
	size_t at = in->size ? random_below(in->size - length + 1) : 0;
	memmove(in->data + at, in->data + at + length, in->size - at - length);
	in->size -= length;
}

/* Puts a piece of any corpus file in. */
static void insert_piece(struct input *in)
{
	const struct input *from = &corpus.at[random_below(corpus.count)];
	size_t length = from->size ? random_below(from->size < 128 ? from->size : 128) + 1 : 0;
	size_t start = from->size ? random_below(from->size - length + 1) : 0, at = random_below(in->size + 1);
	if (in->size + length > INPUT_MAX)
		return;
	memmove(in->data + at + length, in->data + at, in->size - at);
	memcpy(in->data + at, from->data + start, length);
	in->size += length;
}

static void grow(struct input *in)
{
	size_t length = random_below(256);
	for (size_t i = 0; i < length && in->size < INPUT_MAX; i++)
		in->data[in->size++] = random_below(256);
}

static void mutate(struct input *in)
{
	static void (*const mutations[])(struct input *) = {flip_bit, set_byte, set_byte, set_word, cut, insert_piece, grow};
	for (uint64_t n = random_below(MUTATIONS_MAX) + 1; n; n--)
		mutations[random_below(sizeof mutations / sizeof *mutations)](in);
}

static unsigned long fuzz(double seconds)
{
	static uint8_t data[INPUT_MAX];
	struct timespec start, now;
	unsigned long runs = 0;
	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		const struct input *base = &corpus.at[random_below(corpus.count)];
		struct input in = {data, base->size};
		memcpy(data, base->data, base->size);
		mutate(&in);
		run(&in);
		runs++;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec - start.tv_sec + (now.tv_nsec - start.tv_nsec) / 1e9 < seconds);
	return runs;
}

static void name_crash(const char *program)
{
	const char *folder = getenv("TMPDIR"), *slash = strrchr(program, '/');
	snprintf(crash_path, sizeof crash_path, "%s/crash-%s", folder ? folder : "/tmp", slash ? slash + 1 : program);
}

int main(int argc, char **argv)
{
	double seconds = 3;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	unsigned long long seed = now.tv_nsec / 1000 + getpid();
	name_crash(argv[0]);
	__sanitizer_set_death_callback(save_crash);
	for (int i = 1; i < argc; i++)
		if (sscanf(argv[i], "-seconds=%lf", &seconds) != 1 && sscanf(argv[i], "-seed=%llu", &seed) != 1)
			add(argv[i]);
	for (size_t i = 0; i < corpus.count; i++)
		run(&corpus.at[i]);
	size_t files = corpus.count;
	if (!files)
		vec_push(&corpus, (struct input){calloc(1, 1), 0});
	random_state = seed * 2 + 1;
	printf("seed %llu: ", seed);
	fflush(stdout);
	printf("%zu files, %lu mutations\n", files, fuzz(seconds));
	for (size_t i = 0; i < corpus.count; i++)
		free(corpus.at[i].data);
	vec_free(&corpus);
	return 0;
}
