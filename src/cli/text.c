#include "cli/text.h"
#include "repair/patch_json.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

const char *text_ago(int64_t time_us, char out[TEXT_SIZE])
{
	static const struct {
		int64_t below, unit; /* seconds */
		const char *name;
	} units[] = {{120, 1, "s"}, {7200, 60, "min"}, {172800, 3600, "h"}, {INT64_MAX, 86400, "days"}};
	if (!time_us)
		return "never";
	int64_t seconds = time(NULL) - time_us / 1000000;
	if (seconds <= 0)
		return "now";
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (seconds < units[i].below) {
			snprintf(out, TEXT_SIZE, "%lld %s ago", (long long)(seconds / units[i].unit), units[i].name);
			break;
		}
	return out;
}

const char *text_time(int64_t time_us, char out[TEXT_SIZE])
{
	time_t seconds = time_us / 1000000;
	struct tm local;
	char date[64];
	if (!time_us)
		return "never";
	localtime_r(&seconds, &local);
	strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &local);
	snprintf(out, TEXT_SIZE, "%s.%03d", date, (int)(time_us / 1000 % 1000));
	return out;
}

const char *text_printable(const char *text, char out[TEXT_SIZE])
{
	snprintf(out, TEXT_SIZE, "%s", text);
	for (char *c = out; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	return out;
}

const char *text_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

const char *text_monitor(const struct failure *f, char out[TEXT_SIZE])
{
	const char *monitor = f->monitor < MONITOR_COUNT ? monitor_names[f->monitor] : "?", *signal = f->signal ? sigabbrev_np(f->signal) : NULL;
	snprintf(out, TEXT_SIZE, "%s%s%s%s", monitor, signal ? " (SIG" : "", signal ? signal : "", signal ? ")" : "");
	return out;
}

const char *text_patch_state(const struct patch *p, char out[TEXT_SIZE])
{
	snprintf(out, TEXT_SIZE, "%s%s", patch_state_names[p->state], p->pinned ? ", pinned" : "");
	return out;
}

const char *text_module(struct store *s, const struct module_key *key, char out[TEXT_SIZE])
{
	char path[TEXT_SIZE];
	if (!key->hex[0])
		return "no module";
	if (!store_module_path(s, key, path, sizeof path))
		snprintf(out, TEXT_SIZE, "%s", text_base_name(path));
	else
		snprintf(out, TEXT_SIZE, "%.8s", key->hex);
	return out;
}
