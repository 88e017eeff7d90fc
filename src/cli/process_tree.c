#include "cli/process_tree.h"

#include <stdio.h>

#include "inject/threads.h"

static void add_children(pid_list *pids, pid_t pid)
{
	char name[64];
	tid_list tids = {0};
	threads_list(pid, &tids);
	for (size_t i = 0; i < tids.count; i++) {
		snprintf(name, sizeof name, "/proc/%d/task/%d/children", pid, tids.at[i]);
		FILE *f = fopen(name, "re");
		for (int child; f && fscanf(f, "%d", &child) == 1;)
			vec_push(pids, child);
		if (f)
			fclose(f);
	}
	vec_free(&tids);
}

void process_tree(pid_list *pids)
{
	for (size_t i = 0; i < pids->count; i++)
		add_children(pids, pids->at[i]);
}
