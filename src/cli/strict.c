#include "cli/strict.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "node/options.h"

static const struct {
	const char *name;
	uint8_t monitor;
} names[] = {
	{"shadow", STRICT_SHADOW},
	{"heap", STRICT_HEAP},
	{"firewall", STRICT_FIREWALL},
};

static uint8_t monitor_named(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strlen(names[i].name) == length && !memcmp(names[i].name, name, length))
			return names[i].monitor;
	return 0;
}

int strict_parse(const char *list, uint8_t *monitors)
{
	if (!list) {
		*monitors = STRICT_ALL;
		return 0;
	}
	for (;;) {
		size_t length = strcspn(list, ",");
		uint8_t monitor = monitor_named(list, length);
		if (!monitor)
			return -EINVAL;
		*monitors |= monitor;
		if (!list[length])
			return 0;
		list += length + 1;
	}
}
