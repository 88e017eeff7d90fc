/* clearview adopt: a new supervisor for guests whose supervisor is gone. */
#include "cli/command.h"
#include "node/adopt.h"

#include <stdio.h>

int command_adopt(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return adopt_orphans(NULL);
}
