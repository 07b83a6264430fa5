/* mta/site/knock.h - one session with a smart host that carries no mail: does it connect, does its
 * certificate hold, does it take our credentials?  From the address that the system picks.
 * Owns:    knock_new() gives the caller the knock; knock_free() ends it, whatever it waits for.
 * Blocks:  on the credentials' file.  done() comes once, from the loop, at the latest after the
 *          timeouts of the route's shape for each of its addresses, or KNOCK_MS.
 * Threads: one lane's, from knock_start() to done(). */
#pragma once
#include "mta/site/relay.h"

enum { KNOCK_MS = 20 * 1000, KNOCK_TEXT_MAX = 600 };
struct knock_user {
	void (*done)(struct knock_user *u);
};
struct knock;
struct knock *knock_new(struct slice route); /* any thread */
struct knock *knock_free(struct knock *k);   /* takes NULL, gives NULL */
void knock_start(struct knock *k, struct sites *s, struct knock_user *u);

struct knock_facts {
	bool good;
	const char *host, *ip, *tls, *auth; /* "" where it did not come so far */
	const char *text;                   /* how it ended */
};
struct knock_facts knock_facts(const struct knock *k); /* from done() on */
