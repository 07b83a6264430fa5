#include "mta/config_derive.h"

#include <stdio.h>
#include <unistd.h>

struct deriver {
	struct mta_config *c;
	const char *where;
	char *error;
};

static int bad(struct deriver *d, const char *option, struct slice value, const char *expected)
{
	(void)snprintf(d->error, OPTION_ERROR_MAX, "%s: %s: \"%.*s\" is not %s", d->where, option,
		       (int)MIN_OF(value.n, (size_t)100), value.p ? value.p : "", expected);
	return E_SYNTAX;
}

/* A copy that lives as long as the config; NULL when there are too many. */
static const char *keep(struct mta_config *c, struct slice s)
{
	if (c->n_names == ARRAY_LEN(c->names))
		return NULL;
	return c->names[c->n_names++] = must_copy(s);
}

/* ---- one entry of each kind of list ------------------------------------------------------ */

static int entry_net(struct deriver *d, struct slice s)
{
	struct net_list *l = &d->c->submission_nets;

	return l->n < CONFIG_NETS_MAX && ip_net_parse(s, &l->nets[l->n]) == 0 ? (l->n++, 0)
									      : E_SYNTAX;
}

static int entry_allow(struct deriver *d, struct slice s)
{
	struct mta_config *c = d->c;

	return c->n_route_allow < CONFIG_NETS_MAX &&
		       ip_net_parse(s, &c->route_allow_nets[c->n_route_allow]) == 0
		   ? (c->n_route_allow++, 0)
		   : E_SYNTAX;
}

static int entry_own_name(struct deriver *d, struct slice s)
{
	struct mta_config *c = d->c;

	if (c->n_own_names == ARRAY_LEN(c->own_names))
		return E_SYNTAX;
	c->own_names[c->n_own_names] = keep(c, s);
	return c->own_names[c->n_own_names] ? (c->n_own_names++, 0) : E_SYNTAX;
}

static int entry_own_ip(struct deriver *d, struct slice s)
{
	struct mta_config *c = d->c;

	return c->n_own_ips < CONFIG_NETS_MAX && ip_parse(s, &c->own_ips[c->n_own_ips]) == 0
		   ? (c->n_own_ips++, 0)
		   : E_SYNTAX;
}

static int entry_listener(struct deriver *d, struct slice s)
{
	struct mta_config *c = d->c;
	struct listener *l = &c->submission[c->n_submission];

	if (c->n_submission == CONFIG_LISTENERS_MAX || ip_port_parse(s, &l->ip, &l->port) < 0)
		return E_SYNTAX;
	c->n_submission++;
	return 0;
}

static int entry_dns(struct deriver *d, struct slice s)
{
	struct mta_config *c = d->c;
	struct listener *l = &c->dns[c->n_dns];

	if (c->n_dns == CONFIG_DNS_MAX)
		return E_SYNTAX;
	if (ip_port_parse(s, &l->ip, &l->port) < 0) {
		if (ip_parse(s, &l->ip) < 0)
			return E_SYNTAX;
		l->port = 53;
	}
	c->n_dns++;
	return 0;
}

static struct slice next_word(struct slice *s)
{
	struct slice word;
	size_t n = 0;

	while (s->n && (*s->p == ' ' || *s->p == '\t'))
		*s = slice_of(s->p + 1, s->n - 1);
	while (n < s->n && s->p[n] != ' ' && s->p[n] != '\t')
		n++;
	word = slice_of(s->p, n);
	*s = slice_of(s->p + n, s->n - n);
	return word;
}

static int add_source(struct mta_config *c, struct slice pool, const struct ip *ip,
		      struct slice ehlo)
{
	struct egress_source *src = &c->sources[c->n_sources];

	if (c->n_sources == CONFIG_SOURCES_MAX)
		return E_SYNTAX;
	src->pool = keep(c, pool);
	src->ehlo = keep(c, ehlo);
	src->ip = *ip;
	if (!src->pool || !src->ehlo)
		return E_SYNTAX;
	if (ip->family)
		ip_format(ip, src->ip_text);
	c->n_sources++;
	return 0;
}

static int entry_source(struct deriver *d, struct slice s)
{
	struct slice pool = next_word(&s), address = next_word(&s), ehlo = next_word(&s);
	struct ip ip = { 0 };

	if (!pool.n || !ehlo.n || next_word(&s).n)
		return E_SYNTAX;
	if (!slice_eq(address, SLICE("*")) && ip_parse(address, &ip) < 0)
		return E_SYNTAX;
	return add_source(d->c, pool, &ip, ehlo);
}

enum { WEIGHT_MAX = 100 };

/* Kept in the order of tenants; naming one twice is a mistake. */
static int entry_weight(struct deriver *d, struct slice s)
{
	struct mta_config *c = d->c;
	struct slice tenant = next_word(&s), weight = next_word(&s);
	uint64_t t, w;
	unsigned i;

	if (c->n_weights == CONFIG_WEIGHTS_MAX || slice_u64(tenant, UINT64_MAX, &t) < 0 ||
	    slice_u64(weight, WEIGHT_MAX, &w) < 0 || w == 0 || next_word(&s).n)
		return E_SYNTAX;
	for (i = c->n_weights; i && c->weights[i - 1].tenant >= t; i--)
		if (c->weights[i - 1].tenant == t)
			return E_SYNTAX;
	memmove(c->weights + i + 1, c->weights + i, (c->n_weights - i) * sizeof(c->weights[0]));
	c->weights[i] = (struct tenant_weight){ t, (uint16_t)w };
	c->n_weights++;
	return 0;
}

static const struct {
	const char *suffix;
	int64_t factor;
} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };

static int entry_retry(struct deriver *d, struct slice s)
{
	struct mta_config *c = d->c;
	size_t digits = 0;
	uint64_t v;

	while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
		digits++;
	if (c->n_retries == CONFIG_RETRIES_MAX ||
	    slice_u64(slice_of(s.p, digits), 366ULL * 86400000, &v) < 0 || v == 0)
		return E_SYNTAX;
	s = slice_of(s.p + digits, s.n - digits);
	for (unsigned i = 0; i < ARRAY_LEN(units); i++)
		if (slice_eq(s, slice_str(units[i].suffix))) {
			c->retries[c->n_retries++] =
			    MIN_OF((int64_t)v * units[i].factor, (int64_t)366 * 86400000);
			return 0;
		}
	return E_SYNTAX;
}

static const struct {
	const char *option;
	size_t offset;
	int (*entry)(struct deriver *d, struct slice s);
	const char *expected;
} lists[] = {
	{ "submission.networks", offsetof(struct mta_config, submission_networks), entry_net,
	  "a network such as 10.0.0.0/8, at most 64" },
	{ "route.allow", offsetof(struct mta_config, route_allow), entry_allow,
	  "a network such as 10.0.0.0/8, at most 64" },
	{ "route.own_names", offsetof(struct mta_config, route_own_names), entry_own_name,
	  "a host name" },
	{ "route.own_ips", offsetof(struct mta_config, route_own_ips), entry_own_ip,
	  "an address, at most 64" },
	{ "listen.submission", offsetof(struct mta_config, submission_listen), entry_listener,
	  "an address and port such as 127.0.0.1:587" },
	{ "dns.servers", offsetof(struct mta_config, dns_servers), entry_dns,
	  "an address such as 127.0.0.1:53, at most 8" },
	{ "egress.sources", offsetof(struct mta_config, egress_sources), entry_source,
	  "\"pool address ehlo-name\" (address * : any)" },
	{ "tenant.weight", offsetof(struct mta_config, tenant_weight), entry_weight,
	  "\"tenant weight\", a number and 1 to 100, each tenant once" },
	{ "retry.schedule", offsetof(struct mta_config, retry_schedule), entry_retry,
	  "a duration such as 10m, at most 64" },
};

static int derive_lists(struct deriver *d)
{
	for (unsigned i = 0; i < ARRAY_LEN(lists); i++) {
		const char *list = *(char **)(void *)((char *)d->c + lists[i].offset);
		struct slice s;
		for (size_t pos = 0; option_list_next(list, &pos, &s);)
			if (lists[i].entry(d, s) < 0)
				return bad(d, lists[i].option, s, lists[i].expected);
	}
	return 0;
}

static int derive_hostname(struct deriver *d)
{
	struct mta_config *c = d->c;
	char name[256] = "";

	if (!*c->hostname) {
		if (gethostname(name, sizeof(name) - 1) < 0 || !*name)
			(void)snprintf(name, sizeof(name), "localhost");
		free(c->hostname);
		c->hostname = must_copy(slice_str(name));
	}
	for (const char *p = c->hostname; *p; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 127)
			return bad(d, "hostname", slice_str(c->hostname), "a host name");
	return entry_own_name(d, slice_str(c->hostname));
}

static int derive_words(struct deriver *d)
{
	static const char *const policies[] = {
		[TLS_NEVER] = "never", [TLS_MAY] = "may", [TLS_MUST] = "must"
	};
	struct mta_config *c = d->c;

	if (log_level_parse(slice_str(c->log_level), &c->level) < 0)
		return bad(d, "log.level", slice_str(c->log_level), "error, warn, info or debug");
	for (unsigned i = 0; i < ARRAY_LEN(policies); i++)
		if (strcmp(c->smtp_tls, policies[i]) == 0) {
			c->tls_policy = (enum tls_policy)i;
			return 0;
		}
	return bad(d, "smtp.tls", slice_str(c->smtp_tls), "never, may or must");
}

int config_derive(struct mta_config *c, const char *name_for_errors, char *error)
{
	struct deriver d = { c, name_for_errors, error };
	static const struct ip any = { 0 };
	int r;

	r = derive_lists(&d);
	if (r < 0)
		return r;
	r = derive_hostname(&d);
	if (r < 0)
		return r;
	r = derive_words(&d);
	if (r < 0)
		return r;
	if (!c->n_retries)
		return bad(&d, "retry.schedule", (struct slice){ 0 },
			   "a list of at least one duration");
	if (!!*c->tls_cert != !!*c->tls_key)
		return bad(&d, "tls.key", slice_str(c->tls_key), "given together with tls.cert");
	for (unsigned i = 0; i < c->n_sources; i++)
		if (strcmp(c->sources[i].pool, "default") == 0)
			return 0;
	return add_source(c, SLICE("default"), &any, slice_str(c->hostname)) == 0
		   ? 0
		   : bad(&d, "egress.sources", (struct slice){ 0 }, "shorter than 256 entries");
}
