/* tests/unit/dns/ask.h - asks and runs the loop until the answer is there. */
#pragma once
#include <ev.h>

#include "dns/resolver.h"
#include "dns/route.h"

struct reply {
	struct dns_query query;
	struct ev_loop *loop;
	int calls, status;
	uint32_t ttl_s;
	bool authentic;
	char canonical[DNS_NAME_MAX];
	unsigned n;
	struct {
		uint16_t preference;
		struct ip ip;
		char name[DNS_NAME_MAX];
		size_t data_n;
		char data[512]; /* the first bytes */
	} records[DNS_RECORDS_MAX];
};
void ask_start(struct resolver *r, struct ev_loop *loop, struct reply *ret, const char *name,
	       enum dns_type type);
void ask_run(struct reply *reply); /* until it was called */
/* Both, and the status. */
int ask(struct resolver *r, struct ev_loop *loop, struct reply *ret, const char *name,
	enum dns_type type);
/* The route, for the caller to unref. */
struct route *ask_route(struct resolver *r, struct ev_loop *loop, const struct route_options *o,
			const char *domain);
