/* mta/submit/options.c - rows of the options of submission, and what is derived from them. */
#include "mta/submit/options.h"

#define AT(member) offsetof(struct submit_options, member)
enum { KIB = 1024, MIB = 1024 * 1024, SEC = 1000, MINUTE = 60 * 1000, HOUR = 3600 * 1000 };
#define YEAR (366 * 24 * 3600 * 1000LL)

/* clang-format off: a table */
static const struct option rows[] = {
	{ "listen.submission", T_LIST, AT(listen), 0, 0, "", false,
	  "Addresses and ports that take mail by SMTP, such as 127.0.0.1:587; empty: none." },
	{ "listen.submissions", T_LIST, AT(listen_tls), 0, 0, "", false,
	  "The same, but TLS begins with the first byte, such as 127.0.0.1:465; they need "
	  "tls.cert." },
	{ "listen.proxy_from", T_LIST, AT(proxy_from), 0, 0, "", true,
	  "Networks of proxies in front of these addresses: their connections must begin with a "
	  "PROXY "
	  "header, version 1 or 2, and are then those of the client that it names." },
	{ "submission.networks", T_LIST, AT(networks), 0, 0, "127.0.0.0/8, ::1", true,
	  "Networks whose clients may submit mail without AUTH." },
	{ "submission.tenants", T_LIST, AT(tenants), 0, 0, "", true,
	  "Networks whose clients speak for one tenant: a network, then the tenant's number, as in "
	  "\"10.1.0.0/16 7\"; the other networks may send for every known domain." },
	{ "submission.max_size", T_SIZE, AT(max_size), KIB, 64 * MIB, "25M", true,
	  "Largest message that is accepted." },
	{ "submission.max_rcpts", T_INT, AT(max_rcpts), 1, 1000, "1000", true,
	  "Most recipients per message." },
	{ "submission.max_sessions", T_INT, AT(max_sessions), 1, 100000, "2000", true,
	  "Most submission sessions at a time, over all lanes." },
	{ "submission.max_sessions_client", T_INT, AT(max_sessions_client), 1, 100000, "500", true,
	  "Most submission sessions at a time per client address." },
	{ "submission.timeout", T_DURATION, AT(timeout), SEC, HOUR, "5m", true,
	  "Longest wait for a client's command (RFC 5321 section 4.5.3.2.7)." },
	{ "submission.hold_max", T_DURATION, AT(hold_max), 0, 366LL * 24 * 3600 * 1000, "30d", true,
	  "For how long submitted mail may be held before it is sent (X-Postern-Send-At, and "
	  "HOLDFOR "
	  "and HOLDUNTIL of RFC 4865); 0: not at all." },
	{ "expire.after", T_DURATION, AT(expire_after), MINUTE, YEAR, "5d", true,
	  "How long submitted mail is tried before it expires; mail from the link brings its "
	  "own time." },
	{ "tls.cert", T_STR, AT(tls_cert), 0, 1024, "", true,
	  "PEM file with the certificate chain for STARTTLS at submission; empty: no "
	  "STARTTLS." },
	{ "tls.key", T_STR, AT(tls_key), 0, 1024, "", true,
	  "PEM file with the private key that belongs to tls.cert." },
};
/* clang-format on */

static int add_net(void *options, struct slice e)
{
	return net_list_add(&((struct submit_options *)options)->nets, e);
}

/* network tenant */
static int add_bound(void *options, struct slice e)
{
	struct submit_options *o = options;
	struct slice net = entries_word(&e), tenant = entries_word(&e);
	struct net_list one = { .n = 0 };
	struct tenant_net *to = &o->bound[o->n_bound];

	if (o->n_bound == NETS_MAX || entries_word(&e).n || net_list_add(&one, net) < 0 ||
	    slice_u64(tenant, INT64_MAX, &to->tenant) < 0)
		return E_SYNTAX;
	to->net = one.nets[0];
	o->n_bound++;
	return 0;
}

static int add_proxy(void *options, struct slice e)
{
	return net_list_add(&((struct submit_options *)options)->proxies, e);
}

static int add_listener_tls(void *options, struct slice e)
{
	return listener_list_add(&((struct submit_options *)options)->listeners_tls, e, 0);
}

static int add_listener(void *options, struct slice e)
{
	return listener_list_add(&((struct submit_options *)options)->listeners, e, 0);
}

static int derive(void *options, const struct settings *all, struct option_fault *f)
{
	struct submit_options *o = options;
	int r;

	(void)all;
	r = option_entries(f, "submission.networks", o->networks,
			   "a network such as 10.0.0.0/8 (the list may have 64)", add_net, o);
	if (r < 0)
		return r;
	r = option_entries(f, "submission.tenants", o->tenants,
			   "a network and a tenant's number (the list may have 64)", add_bound, o);
	if (r < 0)
		return r;
	r = option_entries(f, "listen.submission", o->listen,
			   "an address and port such as 127.0.0.1:587 (the list may have 16)",
			   add_listener, o);
	if (r == 0)
		r = option_entries(
		    f, "listen.submissions", o->listen_tls,
		    "an address and port such as 127.0.0.1:465 (the list may have 16)",
		    add_listener_tls, o);
	if (r == 0)
		r = option_entries(f, "listen.proxy_from", o->proxy_from,
				   "a network such as 10.0.0.0/8 (the list may have 64)", add_proxy,
				   o);
	if (r < 0)
		return r;
	if (o->listeners_tls.n && !*o->tls_cert)
		return option_bad(f, "listen.submissions", slice_str(o->listen_tls),
				  "possible without a certificate: set tls.cert and tls.key");
	if (!*o->tls_cert != !*o->tls_key)
		return option_bad(f, "tls.key", slice_str(o->tls_key),
				  "complete: set both tls.cert and tls.key, or neither");
	return 0;
}

const struct option_set submit_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct submit_options),
	.derive = derive,
};
