/* mta/site/dns_options.c - rows of the options of resolving and of routes. */
#include "mta/config/host.h"
#include "mta/site/options.h"

#define AT(member) offsetof(struct dns_options, member)
enum { MINUTE = 60 * 1000, DNS_PORT = 53 };

static const struct option rows[] = {
	{ "dns.servers", T_LIST, AT(server_list), 0, 0, "", false,
	  "DNS servers to ask, such as 127.0.0.1:53; empty: those in /etc/resolv.conf." },
	{ "dns.trusted", T_LIST, AT(trusted_list), 0, 0, "", false,
	  "DNS servers, or networks of them, that validate and that nobody can pose as, besides "
	  "loopback: for DANE." },
	{ "dns.timeout", T_DURATION, AT(timeout), 100, MINUTE, "3s", false,
	  "How long to wait for one DNS answer." },
	{ "dns.tries", T_INT, AT(tries), 1, 32, "4", false,
	  "Tries per DNS question, over all servers." },
	{ "dns.cache", T_INT, AT(cache), 16, 16777216, "65536", false,
	  "DNS answers kept, per lane." },
	{ "dns.pending", T_INT, AT(pending), 1, 16384, "512", false,
	  "DNS questions in flight at a time, per lane." },
	{ "dns.ipv4", T_BOOL, AT(ipv4), 0, 0, "yes", true, "Deliver over IPv4." },
	{ "dns.ipv6", T_BOOL, AT(ipv6), 0, 0, "yes", true, "Deliver over IPv6." },
	{ "route.allow", T_LIST, AT(allow_list), 0, 0, "", true,
	  "Special networks (loopback, private ...) where mail hosts may be, such as "
	  "10.0.0.0/8." },
	{ "route.own_names", T_LIST, AT(own_name_list), 0, 0, "", true,
	  "Names of this host in MX records, besides hostname; mail is not routed to them." },
	{ "route.own_ips", T_LIST, AT(own_ip_list), 0, 0, "", true,
	  "Addresses of this host in MX records; mail is not routed to them." },
};

static int read_server(void *options, struct slice s)
{
	struct dns_options *o = options;

	if (o->servers.n == DNS_SERVERS_LISTED_MAX)
		return E_SYNTAX;
	return listener_list_add(&o->servers, s, DNS_PORT);
}

static int read_allowed(void *options, struct slice s)
{
	return net_list_add(&((struct dns_options *)options)->allowed, s);
}

static int read_trusted(void *options, struct slice s)
{
	return net_list_add(&((struct dns_options *)options)->trusted, s);
}

static int read_own_name(void *options, struct slice s)
{
	struct dns_options *o = options;

	if (o->n_own_name_texts == ARRAY_LEN(o->own_name_texts))
		return E_SYNTAX;
	o->own_name_texts[o->n_own_name_texts] = must_copy(s);
	o->own_names[o->n_own_names++] = o->own_name_texts[o->n_own_name_texts++];
	return 0;
}

static int read_own_ip(void *options, struct slice s)
{
	struct dns_options *o = options;

	if (o->n_own_ips == ARRAY_LEN(o->own_ips) || ip_parse(s, &o->own_ips[o->n_own_ips]) < 0)
		return E_SYNTAX;
	o->n_own_ips++;
	return 0;
}

static int derive(void *options, const struct settings *all, struct option_fault *f)
{
	struct dns_options *o = options;
	int r =
	    option_entries(f, "dns.servers", o->server_list,
			   "an address such as 127.0.0.1:53 (the list may have 8)", read_server, o);

	if (r == 0)
		r = option_entries(f, "dns.trusted", o->trusted_list,
				   "an address or network such as 10.0.0.53 (the list may have 64)",
				   read_trusted, o);
	if (r == 0)
		r = option_entries(f, "route.allow", o->allow_list,
				   "a network such as 10.0.0.0/8 (the list may have 64)",
				   read_allowed, o);
	if (r == 0)
		r = option_entries(f, "route.own_names", o->own_name_list,
				   "a host name (the list may have 64)", read_own_name, o);
	if (r == 0)
		r = option_entries(f, "route.own_ips", o->own_ip_list,
				   "an IP address (the list may have 64)", read_own_ip, o);
	if (r == 0)
		o->own_names[o->n_own_names++] = host_options(all)->hostname;
	return r;
}

static void clear(void *options)
{
	struct dns_options *o = options;

	while (o->n_own_name_texts)
		free(o->own_name_texts[--o->n_own_name_texts]);
}

const struct option_set dns_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct dns_options),
	.derive = derive,
	.clear = clear,
};
