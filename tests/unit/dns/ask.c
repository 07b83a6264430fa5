/* tests/unit/dns/ask.c - asks and runs the loop. */
#include "tests/unit/dns/ask.h"

static void on_answer(struct dns_query *q, const struct dns_answer *a)
{
	struct reply *reply = container_of(q, struct reply, query);

	reply->calls++;
	reply->status = a->status;
	reply->ttl_s = a->ttl_s;
	reply->authentic = a->authentic;
	reply->n = a->n;
	(void)slice_copy(reply->canonical, sizeof(reply->canonical), a->canonical);
	for (unsigned i = 0; i < a->n; i++) {
		const struct dns_record *rec = &a->records[i];

		reply->records[i].preference = rec->preference;
		reply->records[i].ip = rec->ip;
		reply->records[i].data_n = rec->data.n;
		(void)slice_copy(reply->records[i].name, DNS_NAME_MAX, rec->name);
		(void)slice_copy(reply->records[i].data, sizeof(reply->records[i].data), rec->data);
	}
}

void ask_start(struct resolver *r, struct ev_loop *loop, struct reply *ret, const char *name,
	       enum dns_type type)
{
	memset(ret, 0, sizeof(*ret));
	ret->loop = loop;
	dns_query_init(&ret->query, on_answer);
	if (resolver_ask(r, &ret->query, slice_str(name), type) < 0)
		abort();
	assert(ret->calls == 0); /* never from inside */
}

void ask_run(struct reply *reply)
{
	while (reply->calls == 0)
		ev_run(reply->loop, EVRUN_ONCE);
}

int ask(struct resolver *r, struct ev_loop *loop, struct reply *ret, const char *name,
	enum dns_type type)
{
	ask_start(r, loop, ret, name, type);
	ask_run(ret);
	return ret->status;
}

struct asked_route {
	struct route_query query;
	struct route *route;
};

static void on_route(struct route_query *q, struct route *route)
{
	container_of(q, struct asked_route, query)->route = route;
}

struct route *ask_route(struct resolver *r, struct ev_loop *loop, const struct route_options *o,
			const char *domain)
{
	struct asked_route asked = { .query = { .done = on_route } };

	if (route_ask(r, o, &asked.query, slice_str(domain)) < 0)
		abort();
	while (!asked.route)
		ev_run(loop, EVRUN_ONCE);
	return asked.route;
}
