/* session.h - visitors' sessions: a note and a few numeric preferences each.
 *
 * Sessions belong to one worker process; its threads share them. A visitor keeps the connection open
 * (or there is one process), as the cookie means nothing to another worker. */
#ifndef GAZETTE_SESSION_H
#define GAZETTE_SESSION_H

#include "buf.h"
#include "http.h"

#define SESSION_COUNT 64
#define SESSION_PREFS 16
#define SESSION_NOTE 1024

/* The requests below /session/. Returns the HTTP status; *cookie is filled (at most cap bytes) when
 * the visitor is given a new session. */
int session_request(const struct request *req, struct buf *body, char *cookie, size_t cap);

#endif
