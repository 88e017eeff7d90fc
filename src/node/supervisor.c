#include "node/supervisor.h"
#include "node/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/log.h"
#include "inject/trace.h"
#include "node/adopt.h"
#include "node/control.h"
#include "node/detach.h"
#include "node/flip.h"
#include "node/guest_rows.h"
#include "node/heap_watch.h"
#include "node/learning.h"
#include "node/module_cache.h"
#include "node/perf_map.h"
#include "node/procedures.h"
#include "node/progress.h"
#include "node/provoke.h"
#include "node/repairing.h"
#include "node/seen_modules.h"
#include "node/tracers.h"
#include "node/weave_shadow.h"

enum { KEEPER_AFTER_US = 200000, KEEPER_EVERY_US = 1000000, TRACER_EVERY_US = 50000 };
enum { FOLLOWING_MS = 2, BUSY_MS = 20, TOKEN_PROCESS = 1, TOKEN_CONTROL = 2 };

int64_t clock_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000ll + now.tv_nsec / 1000;
}

void supervisor_watch_process(struct supervisor *s, struct family *f, pid_t pid, int pidfd)
{
	bell_watch(&s->bell, pidfd, (uint64_t)pid << 8 | TOKEN_PROCESS);
}

void supervisor_unwatch_process(struct supervisor *s, int pidfd)
{
	bell_unwatch(&s->bell, pidfd);
}

static void process_ended(struct supervisor *s, pid_t pid)
{
	repairing_process_ended(s, pid);
	for (size_t i = 0; i < s->families.count; i++)
		if (family_process(s->families.at[i], pid))
			family_remove_process(s->families.at[i], pid);
}

bool supervisor_lives(pid_t pid, uint64_t start)
{
	char name[32], text[512], state = 0;
	snprintf(name, sizeof name, "/proc/%d/stat", pid);
	FILE *f = fopen(name, "re");
	if (!f)
		return false;
	size_t got = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	text[got] = 0;
	const char *at = strrchr(text, ')');
	if (at)
		sscanf(at + 1, " %c", &state);
	return state && state != 'Z' && state != 'X' && process_start_time(pid) == start;
}

static unsigned guest_count(const struct supervisor *s)
{
	unsigned n = 0;
	for (size_t i = 0; i < s->families.count; i++)
		n += s->families.at[i]->processes.count;
	return n;
}

/* A process that ended a moment ago counts as ended, whatever the order in which descriptors are looked at. */
static void notice_ended(struct supervisor *s)
{
	for (size_t i = 0; i < s->families.count; i++)
		for (size_t k = 0; k < s->families.at[i]->processes.count; k++) {
			struct family_process *p = &s->families.at[i]->processes.at[k];
			struct pollfd ended = {.fd = p->pidfd, .events = POLLIN};
			if (poll(&ended, 1, 0) == 1) {
				process_ended(s, p->pid);
				k--;
			}
		}
	if (!guest_count(s) && !s->followed.count)
		control_finishing(s->control, true);
}

static void answer_commands(struct supervisor *s)
{
	struct control_message m;
	notice_ended(s);
	while (!control_receive(s->control, &m)) {
		if (m.detach) {
			detach_begin(s, &m);
			continue;
		}
		seen_modules_flush(s->store);
		repairing_reload(s);
		guest_rows_flush(s->rows);
		control_reply(s->control, &m, guest_count(s));
	}
	bell_watch(&s->bell, control_fd(s->control), TOKEN_CONTROL);
}

static void handle_descriptors(struct supervisor *s)
{
	uint64_t token;
	while (bell_ready(&s->bell, &token)) {
		if ((token & 0xff) == TOKEN_PROCESS)
			process_ended(s, token >> 8);
		else
			answer_commands(s);
	}
}

static void log_visited(const struct image *im)
{
	for (size_t i = 0; i < im->modules.count && im->visits == VISITS_PROCEDURES; i++) {
		const struct loaded *l = im->modules.at[i];
		log_debug("%s: %zu of %zu procedures redirected, %zu executed; %u stay native", l->module->path, image_redirected_count(l), l->module->range_count,
			  image_visited(im, l), l->refused);
		for (size_t k = 0; k < l->refusals.count; k++)
			log_debug("%s+%#lx stays native: %s", l->module->path, l->refusals.at[k].offset, refusal_text(l->refusals.at[k].why));
	}
}

static void drop_empty_families(struct supervisor *s)
{
	for (size_t i = 0; i < s->families.count; i++)
		if (!s->families.at[i]->processes.count && !family_find_strays(s->families.at[i])) {
			struct image *im = &s->families.at[i]->image;
			log_debug("%s: springboards %u long (%u through hops), %u short, %u int3, %u runs in place; %lu landings, %lu returns not noted, %lu visits counted", s->families.at[i]->program,
				  im->counts.jumps, im->counts.hops, im->counts.short_jumps, im->counts.traps, im->counts.in_place, im->shared->landings, im->shared->unnoted_returns,
				  im->visit_probe ? im->shared->tally[im->visit_probe].runs : 0);
			log_visited(im);
			guest_rows_family_ended(s->rows, s->families.at[i]);
			family_free(s->families.at[i]);
			s->families.at[i--] = s->families.at[--s->families.count];
		}
}

static void on_child_signal(int signal)
{
}

/* SIGCHLD interrupts the wait: traced threads stopped. */
static void set_up_signals(void)
{
	struct sigaction wake = {.sa_handler = on_child_signal}, ignore = {.sa_handler = SIG_IGN};
	sigaction(SIGCHLD, &wake, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGXFSZ, &ignore, NULL);
	sigaction(SIGHUP, &ignore, NULL);
	sigaction(SIGINT, &ignore, NULL);
}

/* The guest's traps are sampled: an address that is seen while they come fast is worth a springboard. */
static void resolve_hot_landings(struct family *f)
{
	enum { MANY = 500 };
	if (f->is_traced)
		return;
	uint64_t landings = f->image.shared->landings, address = f->image.shared->last_landing, more = landings - f->landings_seen;
	f->landings_seen = landings;
	if (more > MANY && (!image_landing_is_hot(&f->image, address) || weave_shadow_make_room(f, address))) {
		log_debug("%s: hot landing at %#lx", f->program, address);
		family_apply(f, true);
	}
	if (weave_shadow_tick(f))
		family_apply(f, true);
}

static bool time_for(int64_t *next, int64_t every_us)
{
	int64_t now = clock_us();
	if (now < *next)
		return false;
	*next = now + every_us;
	return true;
}

/* A supervisor that has guests for longer than a moment has a keeper. */
static void look_after_keeper(struct supervisor *s)
{
	if (s->keeper && waitpid(s->keeper, NULL, WNOHANG) == 0)
		return;
	s->keeper = adopt_spawn(store_directory(s->store), getpid());
}

static void dismiss_keeper(struct supervisor *s)
{
	if (!s->keeper)
		return;
	kill(s->keeper, SIGTERM);
	waitpid(s->keeper, NULL, 0);
}

static void tick(struct supervisor *s)
{
	if (time_for(&s->next_landing_check_us, 20000))
		for (size_t i = 0; i < s->families.count; i++)
			resolve_hot_landings(s->families.at[i]);
	if (time_for(&s->next_repair_us, repairing_patience_ms(s) * 1000ll) || repair_next_us(s->repair) <= clock_us())
		repairing_tick(s);
	if (s->options.flip && time_for(&s->next_flip_us, FLIP_EVERY_MS * 1000))
		for (size_t i = 0; i < s->families.count; i++)
			if (!s->families.at[i]->is_traced)
				flip_some(s->families.at[i]);
	if (s->options.perf_map)
		for (size_t i = 0; i < s->families.count; i++)
			perf_map_update(s->families.at[i]);
	if (tracers_matter(&s->options) && time_for(&s->next_tracer_us, TRACER_EVERY_US))
		tracers_tick(s);
	learning_tick(s);
	heap_watch_tick(s);
	provoke_tick(s);
	watchdog_tick(s);
	guest_rows_tick(s->rows);
	if (time_for(&s->next_keeper_us, KEEPER_EVERY_US)) {
		look_after_keeper(s);
		seen_modules_flush(s->store);
		module_cache_save();
	}
}

static unsigned patience_ms(struct supervisor *s)
{
	unsigned repairing = repairing_patience_ms(s), learning = learning_patience_ms(s);
	if (learning < repairing)
		repairing = learning;
	unsigned rows = guest_rows_patience_ms(s->rows);
	if (rows < repairing)
		repairing = rows;
	if (s->options.flip && repairing > FLIP_EVERY_MS)
		repairing = FLIP_EVERY_MS;
	for (size_t i = 0; i < s->followed.count; i++)
		if (!s->followed.at[i].interrupted)
			return FOLLOWING_MS;
	if (detach_is_under_way(s))
		return FOLLOWING_MS;
	return (s->options.redirect_all || s->options.provoke) && repairing > BUSY_MS ? BUSY_MS : repairing;
}

static void loop(struct supervisor *s)
{
	while (s->families.count || s->followed.count) {
		bell_listen(&s->bell);
		bool busy = events_handle(s);
		follow_stops(s);
		handle_descriptors(s);
		detach_continue(s);
		drop_empty_families(s);
		tick(s);
		if (!busy && (s->families.count || s->followed.count))
			bell_wait(&s->bell, patience_ms(s));
	}
}

/* <state>/supervisor.log, for whoever looks into a problem. */
static void open_log(const struct supervisor *s)
{
	char name[PATH_MAX + 32];
	snprintf(name, sizeof name, "%s/supervisor.log", store_directory(s->store));
	int fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd >= 0)
		log_open(fd, s->options.debug ? LOG_DEBUG : LOG_WARNING);
	crash_log_arm();
}

static void say(int ready, int status, const char *text)
{
	char message[SUPERVISOR_WORD_SIZE];
	message[0] = status;
	snprintf(message + 1, sizeof message - 1, "%s", text);
	send(ready, message, strlen(message + 1) + 2, MSG_NOSIGNAL);
}

/* Waits for the launched process to become the program. */
static int await_launch(struct supervisor *s, pid_t pid)
{
	vec_push(&s->followed, (struct followed){.tid = pid, .pid = pid, .since_us = clock_us()});
	return 0;
}

/* 0, or an error with its reason in `text`. */
static int open_services(struct supervisor *s, int bell_fd, char *text, size_t size)
{
	set_up_signals();
	int status = bell_open(&s->bell, bell_fd);
	if (status) {
		snprintf(text, size, "can't set up the supervisor: %s", strerror(-status));
		return status;
	}
	status = store_open(s->options.state, &s->store);
	if (!status) {
		open_log(s);
		module_cache_open(store_directory(s->store));
	}
	if (!status)
		status = control_open(store_directory(s->store), &s->control);
	if (!status)
		status = repairing_open(s);
	if (!status)
		status = learning_open(s);
	if (status) {
		if (s->store)
			snprintf(text, size, "can't use the state folder: %s", strerror(-status));
		else
			snprintf(text, size, "%s", store_error(NULL));
		return status;
	}
	s->rows = guest_rows_open(s);
	s->next_keeper_us = clock_us() + KEEPER_AFTER_US;
	bell_watch(&s->bell, control_fd(s->control), TOKEN_CONTROL);
	return 0;
}

static void close_services(struct supervisor *s)
{
	detach_close(s);
	control_finishing(s->control, true);
	learning_close(s);
	seen_modules_flush(s->store);
	seen_modules_forget();
	guest_rows_close(s->rows);
	repairing_close(s);
	procedures_free();
	module_cache_free();
	dismiss_keeper(s);
	control_close(s->control);
	store_close(s->store);
}

int supervisor_run(const struct guard_options *options, pid_t launched, int ready)
{
	struct supervisor s = {.options = *options};
	char text[SUPERVISOR_WORD_SIZE - 1];
	int status = open_services(&s, -1, text, sizeof text);
	if (status) {
		say(ready, EXIT_CLEARVIEW, text);
		return status;
	}
	status = trace_seize(launched);
	if (status) {
		snprintf(text, sizeof text,
			 "ptrace is forbidden here (%s): allow it (sysctl kernel.yama.ptrace_scope, the container's seccomp profile) or run as root",
			 strerror(-status));
		say(ready, EXIT_CLEARVIEW, text);
		return status;
	}
	await_launch(&s, launched);
	progress_open(options->terminal);
	s.launched = launched;
	log_debug("ready: process %d may become the program", launched);
	say(ready, 0, "");
	close(ready);
	if (orphans_known(s.store))
		adopt_spawn(store_directory(s.store), 0);
	loop(&s);
	close_services(&s);
	return 0;
}

static void attach_one(struct supervisor *s, pid_t pid, int ready)
{
	struct attach_word word = {.pid = pid};
	struct attached outcome = {0};
	struct family *f;
	const char *why = "";
	word.status = family_attach(s, pid, &f, &outcome, &why);
	word.threads = outcome.threads;
	word.longest_stop_us = outcome.longest_stop_us;
	if (!word.status)
		vec_push(&s->families, f);
	snprintf(word.text, sizeof word.text, "%s", word.status ? why : f->program);
	send(ready, &word, sizeof word, MSG_NOSIGNAL);
}

int supervisor_attach(const struct guard_options *options, const pid_t *pids, size_t count, int ready)
{
	struct supervisor s = {.options = *options};
	struct attach_word end = {0};
	int status = open_services(&s, -1, end.text, sizeof end.text);
	for (size_t i = 0; i < count && !status; i++)
		attach_one(&s, pids[i], ready);
	end.status = status;
	send(ready, &end, sizeof end, MSG_NOSIGNAL);
	close(ready);
	if (status)
		return status;
	loop(&s);
	close_services(&s);
	return 0;
}

int supervisor_take_over(const struct guard_options *options, int bell_fd, const struct orphan_family *families, size_t count)
{
	struct supervisor s = {.options = *options};
	char text[SUPERVISOR_WORD_SIZE - 1];
	int status = open_services(&s, bell_fd, text, sizeof text);
	if (status) {
		log_error("%s", text);
		return status;
	}
	look_after_keeper(&s);
	for (size_t i = 0; i < count; i++) {
		struct family *f;
		status = family_take_over(&s, &families[i].memory, families[i].base, families[i].bell, families[i].pids.at, families[i].pids.count, &f);
		if (status) {
			log_error("process %d can't be adopted: %s", families[i].pids.at[0], strerror(-status));
			continue;
		}
		vec_push(&s.families, f);
		events_inherit(f);
	}
	guest_rows_inherit(s.rows);
	loop(&s);
	close_services(&s);
	return 0;
}
