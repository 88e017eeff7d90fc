#include "node/adopt.h"

#include <stdio.h>

#include "base/log.h"

int adopt_orphans(const char *state)
{
	(void)state;
	log_error("there are no guests without a supervisor");
	return EXIT_CLEARVIEW;
}
