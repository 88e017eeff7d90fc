/* Bug provokers: what seldom happens, made to happen all the time. `clearview run --provoke=LIST`; tests/stress runs the tests under each. */
#ifndef NODE_PROVOKE_H
#define NODE_PROVOKE_H

#include <stdbool.h>
#include <stdint.h>

struct family;
struct supervisor;

enum provoker {
	PROVOKE_TRAPS = 1,    /* every springboard an int3 */
	PROVOKE_TINY = 2,     /* zones with little room for copies */
	PROVOKE_DELAY = 4,    /* events wait for milliseconds before they are looked at */
	PROVOKE_DROP = 8,     /* events are taken out of the mailbox and forgotten */
	PROVOKE_DIE = 16,     /* the supervisor is killed; its keeper starts another */
	PROVOKE_COMMITS = 32, /* procedures are redirected, made anew and put back at random */
	PROVOKE_UNREPAIRED = 64, /* no failure is repaired, for tests that fail on purpose, again and again */
};

/* Names with commas between. False: one of them is none. */
bool provoke_parse(const char *list, uint16_t *out);
/* After the family's zones are there. */
void provoke_family(struct family *f);
/* True: the event just taken is forgotten. */
bool provoke_event(const struct supervisor *s);
void provoke_tick(struct supervisor *s);

#endif
