/* dns/options.c - the resolver's defaults and resolv.conf(5). */
#include "base/buf.h"
#include "base/file.h"
#include "dns/resolver.h"

enum { DNS_PORT = 53, RESOLV_CONF_MAX = 64 * 1024 };

void resolver_options_default(struct resolver_options *o)
{
	*o = (struct resolver_options){
		.timeout_ms = 3000,
		.tries = 4,
		.cache_entries = 65536,
		.pending = 512,
		.ttl_min_s = 5,
		.ttl_max_s = 86400,
		.negative_ttl_max_s = 300,
	};
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct slice next_word(struct slice *line)
{
	const char *p = line->p, *end = p + line->n, *start;

	while (p < end && is_blank(*p))
		p++;
	start = p;
	while (p < end && !is_blank(*p))
		p++;
	*line = slice_of(p, (size_t)(end - p));
	return slice_of(start, (size_t)(p - start));
}

static void take_line(struct resolver_options *o, struct slice line)
{
	struct slice key = next_word(&line), value = next_word(&line);
	struct ip ip;

	if (!slice_eq(key, SLICE("nameserver")) || o->n_servers == DNS_SERVERS_MAX ||
	    ip_parse(value, &ip) < 0)
		return;
	o->servers[o->n_servers].ip = ip;
	o->servers[o->n_servers++].port = DNS_PORT;
}

/* resolv.conf(5): only its nameserver lines are read; when there are none, the
 * server on this host. */
int resolver_options_system(struct resolver_options *o, const char *path)
{
	struct buf text;
	struct slice rest;
	int r;

	buf_init(&text, 0);
	r = file_read(path, RESOLV_CONF_MAX, &text);
	if (r < 0 && r != -ENOENT) {
		buf_free(&text);
		return r;
	}
	o->n_servers = 0;
	rest = buf_data(&text);
	while (rest.n)
		take_line(o, slice_take(&rest, '\n'));
	buf_free(&text);
	if (o->n_servers == 0)
		take_line(o, SLICE("nameserver 127.0.0.1"));
	return 0;
}
