#include "repair/settings.h"

const struct repair_settings repair_settings_default = {
	.checking_presentations = 1, /* satisfied checks of normal traffic tell as much as a second failure does */
	.demand_satisfied = 1,
	.procedures = 2,             /* the paper's Red Team exercise: one was too few */
	.checks_max = 1024,
	.success_window_us = 10 * 1000000,
	.hang_window_us = 30 * 1000000,
	.served_requests = 3,
	.on_the_spot_us = 10 * 1000,
	.rescue = RESCUE_KNOWN,
	.livelock_failures = 8,
	.livelock_aborts = 200,
	.livelock_hangs = 3,
	.livelock_us = 1000000,
	.bonus = 1,
	.give_up_score = -3,
	.collect_us = 5 * 1000000,
	.return_values = 3,
	.return_depth = 3,
};
