/* session.c - visitors' sessions (see session.h).
 *
 *   POST /session/open               a new session, in a cookie
 *   POST /session/note               keep the body as the session's note
 *   GET  /session/note               and give it back
 *   POST /session/pref?slot=3&value=17
 *   GET  /session/prefs              all preferences, and their sum
 *   POST /session/close
 *
 * The table is of a fixed size; when it is full the session not used for longest makes room. */
#include "session.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "url.h"

struct session {
	char id[24];
	unsigned long used;                     /* 0: free; else the time of last use */
	void (*leave)(const struct session *);  /* called when the session ends */
	int32_t prefs[SESSION_PREFS];
	size_t note_len;
	char note[SESSION_NOTE];
};

static struct session sessions[SESSION_COUNT];
static pthread_mutex_t sessions_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long session_clock;
static unsigned long session_serial;
static struct { unsigned long closed, expired, kept_bytes; } totals;

static void count_closed(const struct session *s)
{
	totals.closed++;
	totals.kept_bytes += s->note_len;
}

static void count_empty(const struct session *s)
{
	(void)s;
	totals.closed++;
}

static void session_end(struct session *s)
{
	if (s->used != 0)
		s->leave(s);
	s->used = 0;
	s->id[0] = '\0';
}

static struct session *session_find(const char *id)
{
	for (int i = 0; *id && i < SESSION_COUNT; i++) {
		if (sessions[i].used != 0 && strcmp(sessions[i].id, id) == 0) {
			sessions[i].used = ++session_clock;
			return &sessions[i];
		}
	}
	return NULL;
}

static struct session *session_oldest(void)
{
	struct session *oldest = &sessions[0];

	for (int i = 0; i < SESSION_COUNT; i++)
		if (sessions[i].used < oldest->used)
			oldest = &sessions[i];
	return oldest;
}

static int session_open(struct buf *body, char *cookie, size_t cap)
{
	struct session *s = session_oldest();

	if (s->used != 0)
		totals.expired++;
	session_end(s);
	memset(s, 0, sizeof *s);
	s->used = ++session_clock;
	s->leave = count_empty;
	snprintf(s->id, sizeof s->id, "%d-%08lx", (int)(s - sessions),
		 (++session_serial * 2654435761u) & 0xffffffff);
	snprintf(cookie, cap, "sid=%s; Path=/", s->id);
	buf_str(body, "welcome\n");
	return 200;
}

static int session_note(struct session *s, const struct request *req, struct buf *body)
{
	if (strcmp(req->method, "GET") == 0) {
		buf_add(body, s->note, s->note_len);
		return 200;
	}
	if (req->body_len > sizeof s->note)
		return 400;
	memcpy(s->note, req->body, req->body_len);
	s->note_len = req->body_len;
	s->leave = count_closed;
	buf_fmt(body, "kept %zu bytes\n", s->note_len);
	return 200;
}

static int session_set_pref(struct session *s, const struct request *req, struct buf *body)
{
	char slot_text[16], value_text[16];
	int slot;

	if (url_field(req->query, "slot", slot_text, sizeof slot_text) < 0 ||
	    url_field(req->query, "value", value_text, sizeof value_text) < 0)
		return 400;
	slot = atoi(slot_text);
	if (slot >= SESSION_PREFS)
		return 400;
	s->prefs[slot] = (int32_t)strtol(value_text, NULL, 10);
	buf_fmt(body, "preference %d set\n", slot);
	return 200;
}

static int session_list_prefs(const struct session *s, struct buf *body)
{
	long sum = 0;

	for (int i = 0; i < SESSION_PREFS; i++) {
		if (s->prefs[i] != 0)
			buf_fmt(body, "%d: %d\n", i, s->prefs[i]);
		sum += s->prefs[i];
	}
	buf_fmt(body, "sum %ld\n", sum);
	return 200;
}

static int session_act(const struct request *req, struct buf *body, char *cookie, size_t cap)
{
	const char *verb = req->path + strlen("/session/");
	struct session *s;

	if (strcmp(verb, "open") == 0)
		return session_open(body, cookie, cap);
	s = session_find(req->session);
	if (s == NULL)
		return 403;
	if (strcmp(verb, "note") == 0)
		return session_note(s, req, body);
	if (strcmp(verb, "pref") == 0)
		return session_set_pref(s, req, body);
	if (strcmp(verb, "prefs") == 0)
		return session_list_prefs(s, body);
	if (strcmp(verb, "close") != 0)
		return 404;
	session_end(s);
	buf_str(body, "goodbye\n");
	return 200;
}

int session_request(const struct request *req, struct buf *body, char *cookie, size_t cap)
{
	int status;

	pthread_mutex_lock(&sessions_lock);
	status = session_act(req, body, cookie, cap);
	pthread_mutex_unlock(&sessions_lock);
	return status;
}
