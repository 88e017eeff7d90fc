#include "monitor/failure.h"

const char *const monitor_names[MONITOR_COUNT] = {
	[MONITOR_CRASH] = "crash",
	[MONITOR_CONTROL] = "control",
	[MONITOR_ABORT] = "abort",
	[MONITOR_HEAP] = "heap",
	[MONITOR_HANG] = "hang",
	[MONITOR_SHADOW] = "shadow",
	[MONITOR_FIREWALL] = "firewall",
};
