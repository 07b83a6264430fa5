/* tests/unit/dns/lied.c - one resolver with liars for servers. */
#include "tests/unit/dns/lied.h"

struct reply reply;

static struct ev_loop *loop;
static struct resolver *r;

void resolve_with(const struct liar *servers, unsigned n, uint32_t timeout_ms, uint32_t tries)
{
	struct resolver_options o;

	resolver_options_default(&o);
	o.timeout_ms = timeout_ms;
	o.tries = tries;
	o.n_servers = n;
	for (unsigned i = 0; i < n; i++) {
		if (ip_parse(SLICE("127.0.0.1"), &o.servers[i].ip) < 0)
			abort();
		o.servers[i].port = servers[i].port;
	}
	loop = ev_loop_new(EVFLAG_AUTO);
	if (resolver_new(&r, loop, &o) < 0)
		abort();
}

int ask_liars(const char *name, enum dns_type type)
{
	return ask(r, loop, &reply, name, type);
}

bool got_truth(void)
{
	char text[IP_TEXT_MAX];

	return ask_liars("a.example", DNS_A) == 0 && reply.n == 1 &&
	       strcmp(ip_format(&reply.records[0].ip, text), "192.0.2.80") == 0;
}

struct resolver_stats resolved(void)
{
	struct resolver_stats s;

	resolver_stats(r, &s);
	r = resolver_free(r);
	ev_loop_destroy(loop);
	return s;
}

void evil(struct lie *lie, const struct liar_question *q)
{
	lie_start(lie, q);
	lie_record(lie, NULL, 1, 300, "\x06\x06\x06\x06", 4);
}
