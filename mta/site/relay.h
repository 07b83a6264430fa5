/* mta/site/relay.h - smart hosts (mta/route/routes.h) as one lane sees them: their addresses, their
 * sites, and how a session with one begins.
 *
 * A smart host is a site of its own, "smart host NAME", with limits, pauses and a retry of its own.
 * Tenants' own go before those of the operator, who would otherwise have to name each tenant.
 * What it answers to AUTH says something of the route: the site pauses and its mail is deferred;
 * no recipient is bounced for it, and no other site of the same address is blamed.
 * Owns:    relays are the lane's until its end.
 * Blocks:  on the credentials' file when a connection begins.
 * Threads: the lane's. */
#pragma once
#include "mta/route/fed.h"
#include "mta/site/way.h"

struct relay {
	struct list link;
	struct map_link fed_link; /* of a tenant's own */
	struct sites *sites;
	struct smart_route *route;
	bool kept; /* the configuration has it */
	struct site *site;
	struct route_query query;
	bool asked;
	enum route_status status; /* of the last answer */
	struct timer again;
	int64_t auth_failed_ms; /* wall clock; 0: not since it worked last */
	char problem[128];
};

void relays_reload(struct sites *s);
/* Tenants' own routes may be others (relay_fed.c). */
void relays_fed_look(struct sites *s);
struct relay *relay_fed_of(const struct sites *s, const struct smart_route *route);
void relays_fed_end(struct sites *s);
/* The route takes the place of the relay's; NULL: of a new one. */
struct relay *relay_take(struct sites *s, struct relay *r, struct smart_route *route);
void relay_drop(struct relay *r); /* there is no such route any more */
void relays_end(struct sites *s);
/* The smart host for this recipient of the domain; NULL: the domain's own hosts. */
struct relay *relay_of(struct way *w, rcpt_ref ref);
struct relay *relay_of_flow(const struct way *w,
			    const struct flow *f); /* of its mail to the domain */
/* Is one of them being looked up, and was not found missing yet? */
bool relays_wait(const struct sites *s);
/* Is it a tenant's own, and being looked up for the first time?  Its mail alone waits for that. */
bool relay_waits(const struct relay *r);
/* What those whose smart host cannot be looked up are deferred with. */
void relay_explain(const struct relay *r, char *text, size_t cap);

struct channel;
struct session_options;
/* Port, TLS and AUTH.  A negative code: its credentials cannot be read, and the site was told. */
int relay_begin(struct channel *ch, struct session_options *o) MUST_CHECK;
void relay_ready(struct channel *ch);
/* True: it ended because of AUTH, and that was dealt with. */
bool relay_ended(struct channel *ch, const struct verdict *v);

/* ---- what is shown ----------------------------------------------------------------------- */

enum relay_state { RELAY_LOOKING, RELAY_READY, RELAY_NOT_FOUND, RELAY_AUTH_FAILED, RELAY_PAUSED };
enum relay_state relay_state(const struct relay *r);
const char *relay_state_name(enum relay_state s);
