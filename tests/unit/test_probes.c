/* Numbers of observing probes are used again, for another turn; others never. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "engine/image_private.h"

static void image_make(struct image *im)
{
	const struct text_access access = {0};
	uint8_t *code = calloc(1, GUEST_CODE_OFFSET);
	void *shared = calloc(1, GUEST_SHARED_SIZE);
	assert_non_null(code);
	assert_non_null(shared);
	image_init(im, code, shared, 0x10000000, &access);
}

static void image_drop(struct image *im)
{
	free(im->code_host);
	free(im->shared);
	image_release(im);
}

static uint32_t observing(struct image *im)
{
	uint32_t n = image_probe_new(im);
	image_probe(im, n)->work = PROBE_OBSERVE;
	return n;
}

static void numbers_come_back_for_another_turn(void **state)
{
	struct image im;
	image_make(&im);
	uint32_t first = observing(&im), second = observing(&im), id = image_probe_id(&im, first);
	assert_int_not_equal(first, second);
	assert_int_equal(id % PROBE_COUNT_MAX, first);
	image_probe_free(&im, first);
	image_probe_free(&im, second);
	assert_int_equal(observing(&im), first); /* whoever was in its copy has had the longest time to leave */
	assert_int_equal(observing(&im), second);
	assert_int_equal(image_probe_id(&im, first) % PROBE_COUNT_MAX, first);
	assert_int_not_equal(PROBE_ID_TURN(image_probe_id(&im, first)), PROBE_ID_TURN(id));
	assert_int_equal(image_probe(&im, first)->turn, PROBE_ID_TURN(image_probe_id(&im, first)));
	image_drop(&im);
}

static void many_numbers_stay_in_order(void **state)
{
	enum { MANY = 100 };
	struct image im;
	uint32_t n[MANY];
	image_make(&im);
	for (int i = 0; i < MANY; i++)
		n[i] = observing(&im);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < MANY; i++)
			image_probe_free(&im, n[i]);
		for (int i = 0; i < MANY / 2; i++)
			assert_int_equal(observing(&im), n[i]);
		for (int i = 0; i < MANY / 2; i++)
			image_probe_free(&im, n[i]);
		for (int i = 0; i < MANY; i++)
			assert_int_equal(observing(&im), n[(i + MANY / 2) % MANY]);
	}
	assert_int_equal(im.next_probe, MANY + 1);
	image_drop(&im);
}

/* What a probe repairs must not be done where another one was. */
static void what_acts_keeps_its_number(void **state)
{
	struct image im;
	image_make(&im);
	uint32_t n = image_probe_new(&im);
	image_probe(&im, n)->work = PROBE_REPAIR;
	image_probe_free(&im, n);
	assert_int_not_equal(image_probe_new(&im), n);
	image_drop(&im);
}

static void the_way_out_of_an_old_copy_ends_with_the_turn(void **state)
{
	struct image im;
	image_make(&im);
	uint32_t n = observing(&im);
	image_probe_leaves(&im, n);
	assert_int_equal(image_probe(&im, n)->leaves, 0); /* no way */
	image_probe(&im, n)->resume = 0x1234;
	image_probe_leaves(&im, n);
	image_probe_free(&im, n);
	assert_int_equal(image_probe(&im, n)->leaves, 1);
	assert_int_equal(image_probe(&im, n)->enabled, 0);
	assert_int_equal(observing(&im), n);
	assert_int_equal(image_probe(&im, n)->leaves, 0);
	image_drop(&im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_come_back_for_another_turn),
		cmocka_unit_test(many_numbers_stay_in_order),
		cmocka_unit_test(what_acts_keeps_its_number),
		cmocka_unit_test(the_way_out_of_an_old_copy_ends_with_the_turn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
