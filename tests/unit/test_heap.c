/* The heap monitor's host side: trailers and marks, the scan of a process's canaries (this process's own, through a hand-made map), facts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "monitor/heap.h"
#include "monitor/heap_scan.h"

enum { USABLE = 168, SIZE = 51 /* a gap longer than a canary */, BLOCKS = 200 };
enum { SITE = 0x1234, NUMBER = 77 };
static const uint64_t secret[3] = {0x123456789abcdef0, 0x9d4c2f8b1e6a7735, 0x82b16f203a5b631d};

static void trailers_tell_damage(void **state)
{
	enum { MOST = 1 << 20 }; /* no block is larger */
	assert_int_equal(secret[1] * secret[2], 1);
	for (uint64_t i = 0; i < 20000; i++) {
		uint64_t p = 0x7f0012340010 + i * 48, trailer = heap_trailer(p, i * 3, secret);
		assert_int_equal(heap_trailer_size(p, trailer, secret), i * 3);
		assert_true(heap_trailer_size(p, trailer ^ (1 + i % 255), secret) > MOST); /* the lowest byte overwritten */
		assert_true(heap_trailer_size(p, 0x4141414141414141, secret) > MOST);
		assert_true(heap_trailer_size(p + 16, trailer, secret) > MOST);            /* another block's */
	}
}

static void marks_name_one_address(void **state)
{
	for (uint64_t p = 0x1000; p < 0x1040; p++)
		for (uint64_t q = p & ~31ull; q < (p & ~31ull) + 32; q++)
			assert_int_equal(heap_mark(p, HEAP_LIVE) == heap_mark(q, HEAP_LIVE), p == q);
	assert_int_equal(heap_mark(0x1000, HEAP_FREED) & HEAP_STATE_MASK, HEAP_FREED);
}

static void classes_are_of_one_order(void **state)
{
	assert_int_equal(heap_class(0), heap_class(15));
	assert_int_equal(heap_class(64), heap_class(127));
	assert_int_not_equal(heap_class(127), heap_class(128));
	uint64_t classes[2];
	struct guest_heap_finding f = {.size = 100};
	assert_int_equal(heap_classes(&f, classes), 1);
	assert_int_equal(classes[0], heap_class(100));
	f = (struct guest_heap_finding){.size = ~0ull, .usable = 136 + HEAP_TRAILER}; /* 121 .. 136 */
	assert_int_equal(heap_classes(&f, classes), 2);
	f.usable = HEAP_TRAILER;
	assert_int_equal(heap_classes(&f, classes), 0);
}

/* A heap as glibc lays it out, with the blob's canaries, in this process. */
struct world {
	struct guest_tables *tables;
	struct guest_heap *heap;
	uint64_t *directory;
	uint16_t *map;
	uint8_t *memory;
	uint64_t block[BLOCKS];
	struct heap_scan *scan;
};

static void *memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	return p;
}

static uint64_t unit_of(uint64_t p)
{
	return p >> HEAP_UNIT_BITS & (HEAP_MAP_UNITS - 1);
}

static void set(struct world *w, uint64_t p, enum heap_state s)
{
	w->map[unit_of(p)] = heap_mark(p, s) | NUMBER << HEAP_MARK_BITS;
}

static void make_block(struct world *w, unsigned i)
{
	uint64_t chunk = (uint64_t)w->memory + 64 + i * (USABLE + 8), p = chunk + 16, end = p + USABLE - HEAP_TRAILER;
	*(uint64_t *)(p - 8) = (USABLE + 8) | 1;
	memset((void *)p, 'd', SIZE);
	memset((void *)(p + SIZE), 'g', end - p - SIZE);
	memset((void *)(p + SIZE), (uint8_t)w->tables->heap_canary, heap_canary_end(p, SIZE, end) - p - SIZE);
	uint64_t trailer = heap_trailer(p, SIZE, secret);
	memcpy((void *)end, &trailer, 8);
	w->block[i] = p;
	set(w, p, HEAP_LIVE);
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	w->tables = memory(sizeof *w->tables);
	w->heap = calloc(1, sizeof *w->heap);
	w->directory = memory(HEAP_DIRECTORY_SIZE);
	w->directory[HEAP_REGIONS + NUMBER] = SITE;
	w->map = memory(HEAP_MAP_SIZE);
	uint8_t *wide = memory(2ul << HEAP_REGION_BITS); /* holds the start of a region */
	w->memory = (uint8_t *)(((uint64_t)wide + (1ul << HEAP_REGION_BITS)) >> HEAP_REGION_BITS << HEAP_REGION_BITS);
	w->tables->heap_layout = HEAP_LAYOUT_GLIBC;
	w->tables->heap_canary = 0xabababababababab;
	memcpy(w->tables->heap_secret, secret, sizeof secret);
	w->directory[(uint64_t)w->memory >> HEAP_REGION_BITS] = (uint64_t)w->map;
	w->heap->directory = (uint64_t)w->directory;
	w->heap->region[w->heap->region_count++] = (uint64_t)w->memory >> HEAP_REGION_BITS;
	for (unsigned i = 0; i < BLOCKS; i++)
		make_block(w, i);
	w->scan = heap_scan_new(getpid(), (uint64_t)w->heap);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	heap_scan_free(w->scan);
	munmap(w->tables, sizeof *w->tables);
	munmap(w->directory, HEAP_DIRECTORY_SIZE);
	munmap(w->map, HEAP_MAP_SIZE);
	free(w->heap);
	free(w);
	return 0;
}

static unsigned scan(struct world *w, struct guest_heap_finding out[4])
{
	return heap_scan_step(w->scan, w->tables, 1000000, out, 4);
}

static void intact_heaps_are_passed(void **state)
{
	struct guest_heap_finding found[4];
	for (int i = 0; i < 4; i++)
		assert_int_equal(scan(*state, found), 0);
}

static void damage_is_told_once_when_it_lasts(void **state)
{
	struct world *w = *state;
	struct guest_heap_finding found[4];
	((char *)w->block[7])[SIZE + 2] = 0;
	assert_int_equal(scan(w, found), 0); /* seen: only a second look counts */
	assert_int_equal(scan(w, found), 1);
	assert_true(found[0].block == w->block[7] && found[0].address == w->block[7] + SIZE + 2);
	assert_true(found[0].size == SIZE && found[0].usable == USABLE && found[0].site == SITE && found[0].kind == HEAP_DAMAGED);
	assert_true(heap_scan_has_told(w->scan, w->block[7]) && !heap_scan_has_told(w->scan, w->block[8]));
	assert_int_equal(scan(w, found), 0);
}

static void what_changes_meanwhile_is_no_damage(void **state)
{
	struct world *w = *state;
	struct guest_heap_finding found[4];
	char *gap = (char *)w->block[3] + SIZE, was = *gap;
	*gap = 'x';
	assert_int_equal(scan(w, found), 0);
	*gap = was;
	assert_int_equal(scan(w, found), 0);
	memset((char *)w->block[4], 'x', USABLE);
	assert_int_equal(scan(w, found), 0);
	set(w, w->block[4], HEAP_FREED);
	assert_int_equal(scan(w, found), 0);
	assert_int_equal(scan(w, found), 0);
}

static void a_lost_trailer_leaves_the_site(void **state)
{
	struct world *w = *state;
	struct guest_heap_finding found[4];
	memset((char *)w->block[BLOCKS - 1], 'x', USABLE);
	scan(w, found);
	assert_int_equal(scan(w, found), 1);
	assert_true(found[0].size == ~0ull && found[0].site == SITE);
}

static void faults_tell_which_block(void **state)
{
	struct guest_heap_slot slot = {.state = HEAP_SLOT_GUARDED, .start = 0x10000, .end = 0x12000, .block = 0x10f90, .size = 112};
	struct failure f = {.fault_address = 0x11002, .facts = "write of 2 bytes at address 0x11002 through rax", .depth = 1};
	heap_fault_failure(&slot, "lib+0x10", "-", &f);
	assert_int_equal(f.monitor, MONITOR_HEAP);
	assert_string_equal(f.facts, "write of 2 bytes, 2 bytes beyond the end of a heap block of 112 bytes allocated at lib+0x10");
	slot.state = HEAP_SLOT_QUARANTINED;
	f = (struct failure){.fault_address = 0x10f98, .facts = "read of 8 bytes at address 0x10f98", .depth = 1};
	heap_fault_failure(&slot, "lib+0x10", "lib+0x20", &f);
	assert_string_equal(f.facts, "read of 8 bytes in a freed heap block of 112 bytes, at its byte 8, allocated at lib+0x10, freed at lib+0x20");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trailers_tell_damage),
		cmocka_unit_test(marks_name_one_address),
		cmocka_unit_test(classes_are_of_one_order),
		cmocka_unit_test(faults_tell_which_block),
		cmocka_unit_test_setup_teardown(intact_heaps_are_passed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damage_is_told_once_when_it_lasts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_changes_meanwhile_is_no_damage, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_lost_trailer_leaves_the_site, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
