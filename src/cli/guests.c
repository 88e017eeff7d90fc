#include "cli/guests.h"

#include <stdio.h>

/* Field 22 of /proc/PID/stat, behind a name that may hold anything; 0: there is no such process. *zombie: it has ended, but its parent doesn't know. */
static uint64_t start_time(pid_t pid, bool *zombie)
{
	char path[64], text[1024];
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	FILE *f = fopen(path, "re");
	if (!f)
		return 0;
	size_t length = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	text[length] = 0;
	char *field = strrchr(text, ')');
	*zombie = field && field[1] && (field[2] == 'Z' || field[2] == 'X');
	for (int n = 2; field && n < 22; n++)
		field = strchr(field + 1, ' ');
	return field ? strtoull(field, NULL, 10) : 0;
}

bool guest_is_supervised(const struct guest_row *g)
{
	bool zombie;
	return start_time(g->supervisor, &zombie) == g->supervisor_start && !zombie;
}

static int keep_living(void *context, const struct guest_row *g)
{
	bool zombie; /* may still have threads that run */
	if (start_time(g->pid, &zombie) == g->pid_start)
		vec_push((guest_list *)context, *g);
	return 0;
}

int guests_living(struct store *s, guest_list *out)
{
	return store_guests(s, keep_living, out);
}

unsigned guests_orphaned(struct store *s)
{
	guest_list guests = {0};
	unsigned count = 0;
	if (!guests_living(s, &guests))
		for (size_t i = 0; i < guests.count; i++)
			count += !guest_is_supervised(&guests.at[i]);
	vec_free(&guests);
	return count;
}
