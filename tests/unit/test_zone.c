/* A zone that fills up: what nobody needs is refused first, then everything, and nothing is written outside. */
#include "engine/image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

enum { PIECE = 1 << 16 };

static const uint64_t BASE = 0x7f0000000000;

static uint8_t *host_memory(size_t size)
{
	uint8_t *host = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(host, MAP_FAILED);
	return host;
}

static void room_is_kept(void **state)
{
	for (int above = 0; above < 2; above++) {
		struct zone z;
		uint8_t *host = host_memory(ZONE_SIZE);
		uint64_t kept = 0;
		zone_init(&z, BASE, above, host);
		assert_false(zone_is_short(&z));
		while (!zone_is_short(&z))
			assert_int_not_equal(zone_reserve(&z, PIECE), 0);
		while (zone_reserve(&z, PIECE))
			kept += PIECE;
		assert_in_range(kept, z.spare - 2 * PIECE, z.spare);
		zone_release(&z);
		munmap(host, ZONE_SIZE);
	}
}

/* Room that was given out is never given out again, wherever it is: copies of modules whose texts want different distances, each reserved larger than it is. */
static void room_is_given_once(void **state)
{
	enum { COPIES = 4000, SIZE = 40000, USED = 20000 };
	static uint64_t start[COPIES];
	static uint8_t taken[ZONE_SIZE / 16];
	for (int above = 0; above < 2; above++) {
		struct zone z;
		zone_init(&z, BASE, above, NULL);
		memset(taken, 0, sizeof taken);
		for (int i = 0; i < COPIES; i++) {
			start[i] = zone_reserve_for(&z, SIZE, BASE + 0x20000000 + (uint64_t)(i % 7) * 0x1234000 + i * 4096ul);
			if (!start[i])
				break;
			zone_trim(&z, start[i] + USED);
			for (uint64_t at = start[i] - BASE; at < start[i] - BASE + USED; at += 16) {
				assert_in_range(at, 0, ZONE_SIZE - 16);
				assert_false(taken[at / 16]++);
			}
		}
		zone_release(&z);
	}
}

static void hand_out(uint8_t *taken, uint64_t start, uint64_t size)
{
	for (uint64_t at = start - BASE; at < start - BASE + size; at += 16) {
		assert_in_range(at, 0, ZONE_SIZE - 16);
		assert_false(taken[at / 16]++);
	}
}

/* The same with pieces that are claimed where they are, and modules that get room apart. */
static void claimed_room_is_given_once(void **state)
{
	enum { ROUNDS = 3000, SIZE = 4096 };
	static uint8_t taken[ZONE_SIZE / 16];
	struct zone_apart apart;
	unsigned claimed = 0, random = 1;
	for (int above = 0; above < 2; above++) {
		struct zone z;
		zone_init(&z, BASE, above, NULL);
		memset(taken, 0, sizeof taken);
		for (int i = 0; i < ROUNDS; i++) {
			random = random * 1103515245 + 12345;
			uint64_t start = (z.copies[0].next + (random >> 8) % (8 << 20)) & ~15ul, text = BASE + 0x20000000 + (i % 7) * 0x1234000 + i * 64ul;
			if (i % 5 == 0 && zone_is_free(&z, start, start + 3 * SIZE)) {
				zone_claim(&z, start, start + 3 * SIZE);
				hand_out(taken, start, 3 * SIZE);
				claimed++;
			}
			if (i % 100 == 0)
				zone_begin_apart(&z, i % 300 ? 20 * SIZE : 40 << 20, &apart);
			if (!(start = zone_reserve_for(&z, SIZE, text)))
				break;
			zone_trim(&z, start + SIZE / 2);
			hand_out(taken, start, SIZE / 2);
			if (i % 100 < 20)
				zone_claim(&z, start, start + SIZE / 2);
			if (i % 100 == 19)
				zone_end_apart(&z, &apart);
		}
		zone_release(&z);
	}
	assert_in_range(claimed, 100, ROUNDS);
}

/* So that it may lie a little higher or lower another time. */
static void large_modules_have_distance_on_both_sides(void **state)
{
	enum { MB = 1 << 20 };
	struct zone_apart apart;
	struct zone z;
	zone_init(&z, BASE, false, NULL);
	zone_begin_apart(&z, 40 * MB, &apart);
	uint64_t at = zone_reserve_for(&z, 40 * MB, BASE + 320ul * MB);
	assert_in_range(at, BASE + 5 * MB, BASE + 20 * MB);
	zone_trim(&z, at + 40 * MB);
	zone_end_apart(&z, &apart);
	zone_claim(&z, at, at + 40 * MB);
	zone_begin_apart(&z, 40 * MB, &apart); /* none has room for another */
	at = zone_reserve_for(&z, MB, BASE + 320ul * MB);
	assert_true(at >= BASE + 224ul * MB);
	zone_end_apart(&z, &apart);
	zone_release(&z);
}

static void full_zone_has_no_stub(void **state)
{
	static struct loaded l;
	struct zone z;
	uint8_t *host = host_memory(ZONE_SIZE), *code = host_memory(GUEST_CODE_OFFSET);
	struct image im = {.code_host = code, .base = BASE};
	zone_init(&z, BASE, false, host);
	l.zone = &z;
	uint64_t stub = image_blob_stub(&im, &l, ENTRY_MODULES);
	assert_true(zone_holds(&z, stub));
	assert_memory_equal(zone_host(&z, stub), "\xff\x25\2\0\0\0", 6);
	while (zone_reserve(&z, PIECE))
		;
	while (zone_reserve(&z, 1))
		;
	assert_int_equal(image_blob_stub(&im, &l, ENTRY_MODULES), 0);
	zone_release(&z);
	munmap(host, ZONE_SIZE);
	munmap(code, GUEST_CODE_OFFSET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(room_is_kept), cmocka_unit_test(room_is_given_once), cmocka_unit_test(claimed_room_is_given_once),
		cmocka_unit_test(large_modules_have_distance_on_both_sides), cmocka_unit_test(full_zone_has_no_stub)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
