/* The state machine's table: every state with every input. */
#include "repair/lifecycle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

enum { INPUTS = LIFECYCLE_EXHAUSTED + 1, NOTHING = -1 };

static const int expected[LOCATION_STATE_COUNT][INPUTS] = {
	/*                       checks             candidates          success           withdrawn           exhausted */
	[LOCATION_DETECTED]  = {LOCATION_CHECKING, LOCATION_REPAIRING, LOCATION_PATCHED, NOTHING,            NOTHING},
	[LOCATION_CHECKING]  = {NOTHING,           LOCATION_REPAIRING, NOTHING,          NOTHING,            NOTHING},
	[LOCATION_REPAIRING] = {NOTHING,           NOTHING,            LOCATION_PATCHED, NOTHING,            LOCATION_DETECTED},
	[LOCATION_PATCHED]   = {NOTHING,           NOTHING,            NOTHING,          LOCATION_REPAIRING, NOTHING},
};

static void test_table(void **state)
{
	for (int from = 0; from < LOCATION_STATE_COUNT; from++) {
		for (int input = 0; input < INPUTS; input++) {
			enum location_state to = LOCATION_STATE_COUNT;
			bool moves = lifecycle_next(from, input, &to);
			if (moves != (expected[from][input] != NOTHING) || (moves && (int)to != expected[from][input]))
				fail_msg("state %d, input %d", from, input);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_table)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
