/* clearview events: the log, to its end or on and on. */
#include "cli/command.h"
#include "cli/json.h"
#include "cli/text.h"

#include <poll.h>
#include <stdio.h>

enum { POLL_MS = 100 };

struct following {
	uint64_t last;
	bool json;
};

static int print_event(void *context, const struct event *e)
{
	struct following *f = context;
	char time[TEXT_SIZE], text[TEXT_SIZE];
	f->last = e->id;
	if (f->json)
		print_json_line(json_event(e));
	else
		printf("%s  %-10s  %s\n", text_time(e->time_us, time), e->kind, text_printable(e->text, text));
	return 0;
}

int command_events(int argc, char **argv)
{
	bool follow = false;
	const struct option_spec options[] = {{"follow", 'f', NULL, "go on as more happens, until interrupted", &follow}, {0}};
	struct common common;
	if (options_parse("events", argc, argv, options, &common) < argc)
		die(EXIT_CLEARVIEW, "events takes no operands; `clearview help events` explains");
	struct store *s = state_open(&common);
	struct following f = {.json = common.json};
	uint64_t version = store_version(s);
	state_must(s, store_events(s, 0, print_event, &f));
	while (follow && !finish_output()) {
		while (store_version(s) == version)
			poll(NULL, 0, POLL_MS);
		version = store_version(s);
		state_must(s, store_events(s, f.last, print_event, &f));
	}
	store_close(s);
	return finish_output();
}
