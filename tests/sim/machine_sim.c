/* tests/sim/machine_sim.c - the machine under the second network: its addresses, its routes, and
 * what left from where. */
#include "tests/sim/conn_sim_int.h"

enum { SOURCES = 64, ROUTES = 64 };

static struct sim_source sources[SOURCES];
static struct {
	struct ip from, to;
	int err;
} routes[ROUTES];
static unsigned n_sources, n_routes;

void sim_machine_reset(void)
{
	n_sources = n_routes = 0;
}

struct sim_source *sim_source(const struct ip *ip)
{
	for (unsigned i = 0; i < n_sources; i++)
		if (ip_eq(&sources[i].ip, ip))
			return &sources[i];
	assert(n_sources < SOURCES);
	sources[n_sources] = (struct sim_source){ .ip = *ip };
	return &sources[n_sources++];
}

static struct sim_source *source_of_text(struct slice text)
{
	struct ip ip;

	assert(ip_parse(text, &ip) == 0);
	return sim_source(&ip);
}

void conn_sim_address(struct slice ip, bool here)
{
	source_of_text(ip)->away = !here;
}

void conn_sim_cut_off(struct slice ip, int err)
{
	source_of_text(ip)->cut_off = err;
}

void conn_sim_route(struct slice from, struct slice to, int err)
{
	assert(n_routes < ROUTES);
	assert(ip_parse(from, &routes[n_routes].from) == 0);
	assert(ip_parse(to, &routes[n_routes].to) == 0);
	routes[n_routes++].err = err;
}

int sim_route(const struct ip *from, const struct ip *to)
{
	for (unsigned i = n_routes; i-- > 0;)
		if (ip_eq(&routes[i].from, from) && ip_eq(&routes[i].to, to))
			return routes[i].err;
	return 0;
}

int conn_source_check(const struct ip *source)
{
	return source->family && sim_source(source)->away ? -EADDRNOTAVAIL : 0;
}

unsigned conn_sim_opened_from(struct slice ip)
{
	return source_of_text(ip)->opened;
}
unsigned conn_sim_open_from(struct slice ip)
{
	return source_of_text(ip)->open;
}
unsigned conn_sim_messages_from(struct slice ip)
{
	return source_of_text(ip)->messages;
}
