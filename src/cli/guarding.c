#include "cli/guarding.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/strict.h"
#include "engine/image.h"
#include "node/control.h"
#include "node/provoke.h"
#include "node/store.h"

static int number(const char *text, int low, int high, const char *what)
{
	char *end;
	long n = strtol(text, &end, 10);
	if (*end == '%')
		end++;
	if (!*text || *end || n < low || n > high)
		die(EXIT_CLEARVIEW, "--%s=%s: give a number from %d to %d", what, text, low, high);
	return n;
}

static int visits_named(const char *text)
{
	static const char *const names[] = {[VISITS_BLOCKS] = "blocks", [VISITS_INSTRUCTIONS] = "instructions", [VISITS_PROCEDURES] = "procedures"};
	for (int i = VISITS_BLOCKS; i <= VISITS_PROCEDURES; i++)
		if (!strcmp(text, names[i]))
			return i;
	die(EXIT_CLEARVIEW, "--probe=%s: give blocks, instructions or procedures", text);
}

bool guard_option_set(int code, struct guard_options *o)
{
	switch (code) {
	case GUARD_OPTION_STATE:
		o->state = optarg;
		break;
	case GUARD_OPTION_REDIRECT:
		if (strcmp(optarg, "all") && strcmp(optarg, "direct") && strcmp(optarg, "lazy"))
			die(EXIT_CLEARVIEW, "--redirect=%s: give all, direct or lazy", optarg);
		o->redirect_all = true;
		o->lazy = !strcmp(optarg, "lazy");
		o->direct_calls = !strcmp(optarg, "direct");
		break;
	case GUARD_OPTION_STRICT:
		if (strict_parse(optarg, &o->strict))
			die(EXIT_CLEARVIEW, "--strict=%s: give firewall, shadow, heap, or several with commas", optarg);
		o->redirect_all = o->direct_calls = true;
		break;
	case GUARD_OPTION_JIT:
		o->jit = optarg ? optarg : "";
		break;
	case GUARD_OPTION_LEARN:
		o->learn_full = !strcmp(optarg, "full");
		o->learn_percent = o->learn_full ? 100 : number(optarg, 0, 100, "learn");
		break;
	case GUARD_OPTION_NO_HEAP:
		o->no_heap = true;
		break;
	case GUARD_OPTION_CHECKS:
		o->checks = number(optarg, 1, 10, "checks");
		break;
	case GUARD_OPTION_DEBUG:
		o->debug = true;
		break;
	case GUARD_OPTION_ONLY_TRAPS:
		o->only_traps = true;
		break;
	case GUARD_OPTION_PERF_MAP:
		o->perf_map = true;
		break;
	case GUARD_OPTION_FLIP:
		o->flip = true;
		break;
	case GUARD_OPTION_PROBE:
		o->visits = visits_named(optarg);
		break;
	case GUARD_OPTION_PROVOKE:
		if (!provoke_parse(optarg, &o->provoke))
			die(EXIT_CLEARVIEW, "--provoke=%s: give traps, tiny, delay, drop, die, commits, unrepaired, or several with commas", optarg);
		break;
	default:
		return false;
	}
	return true;
}

void guard_state_settle(struct guard_options *o)
{
	static char folder[PATH_MAX];
	char name[PATH_MAX], *here = NULL;
	int status = store_folder_path(o->state, name, sizeof name);
	if (status)
		return; /* so does the supervisor, and says why */
	if (name[0] != '/' && (here = getcwd(NULL, 0))) {
		if ((size_t)snprintf(folder, sizeof folder, "%s/%s", here, name) >= sizeof folder)
			die(EXIT_CLEARVIEW, "the state folder's name is too long: choose another with --state");
	} else {
		snprintf(folder, sizeof folder, "%s", name);
	}
	free(here);
	o->state = folder;
	control_settle(o->state, CONTROL_TIMEOUT_MS);
}
