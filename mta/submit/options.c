/* Rows, what is derived from them, and for now the way from struct mta_config. */
#include "mta/submit/options.h"

#include "mta/config.h"

#define AT(member) offsetof(struct submit_options, member)
enum { KIB = 1024, MIB = 1024 * 1024, SEC = 1000, HOUR = 3600 * 1000 };

/* clang-format off: a table */
static const struct option rows[] = {
	{ "listen.submission", T_LIST, AT(listen), 0, 0, "", false,
	  "Addresses that take mail by SMTP, such as 127.0.0.1:587." },
	{ "submission.networks", T_LIST, AT(networks), 0, 0, "127.0.0.0/8, ::1", true,
	  "Clients that may submit." },
	{ "submission.max_size", T_SIZE, AT(max_size), KIB, 64 * MIB, "25M", true,
	  "Largest message taken." },
	{ "submission.max_rcpts", T_INT, AT(max_rcpts), 1, 1000, "1000", true,
	  "Recipients a message." },
	{ "submission.max_sessions", T_INT, AT(max_sessions), 1, 100000, "2000", true,
	  "Sessions at a time, over all lanes." },
	{ "submission.max_sessions_client", T_INT, AT(max_sessions_client), 1, 100000, "500", true,
	  "Sessions at a time of one address." },
	{ "submission.timeout", T_DURATION, AT(timeout), SEC, HOUR, "5m", true,
	  "Longest wait for a client's command (RFC 5321 section 4.5.3.2.7)." },
	{ "tls.cert", T_STR, AT(tls_cert), 0, 1024, "", true,
	  "PEM chain for STARTTLS on the submission listener; empty: not offered." },
	{ "tls.key", T_STR, AT(tls_key), 0, 1024, "", true,
	  "PEM private key that belongs to tls.cert." },
};
/* clang-format on */

static int add_net(void *options, struct slice e)
{
	struct submit_options *o = options;
	int r;

	if (o->n_nets == SUBMIT_NETS_MAX)
		return E_LIMIT;
	r = ip_net_parse(e, &o->nets[o->n_nets]);
	if (r == 0)
		o->n_nets++;
	return r;
}

static int add_address(void *options, struct slice e)
{
	struct submit_options *o = options;
	struct smtpd_address *at = &o->addresses[o->n_addresses];
	int r;

	if (o->n_addresses == SUBMIT_LISTENERS_MAX)
		return E_LIMIT;
	r = ip_port_parse(e, &at->ip, &at->port);
	if (r == 0)
		o->n_addresses++;
	return r;
}

static int derive(void *options, const struct settings *all, struct option_fault *f)
{
	struct submit_options *o = options;
	int r;

	(void)all;
	r = option_entries(f, "submission.networks", o->networks,
			   "a network such as 10.0.0.0/8, at most 64", add_net, o);
	if (r < 0)
		return r;
	r = option_entries(f, "listen.submission", o->listen,
			   "an address and port such as 127.0.0.1:587", add_address, o);
	if (r < 0)
		return r;
	if (!*o->tls_cert != !*o->tls_key)
		return option_bad(f, "tls.key", slice_str(o->tls_key),
				  "given together with tls.cert");
	return 0;
}

const struct option_set submit_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct submit_options),
	.derive = derive,
};

bool submit_options_allow(const struct submit_options *o, const struct ip *ip)
{
	for (unsigned i = 0; i < o->n_nets; i++)
		if (ip_net_has(&o->nets[i], ip))
			return true;
	return false;
}

static void copy_lists(struct submit_options *o, const struct mta_config *c)
{
	static_assert((int)SUBMIT_NETS_MAX == (int)CONFIG_NETS_MAX, "as many networks");
	static_assert((int)SUBMIT_LISTENERS_MAX == (int)CONFIG_LISTENERS_MAX, "as many listeners");
	memcpy(o->nets, c->submission_nets.nets, sizeof(o->nets));
	o->n_nets = c->submission_nets.n;
	for (unsigned i = 0; i < c->n_submission; i++)
		o->addresses[i] =
		    (struct smtpd_address){ c->submission[i].ip, c->submission[i].port };
	o->n_addresses = c->n_submission;
}

void submit_setup_from(struct submit_setup *ret, const struct mta_config *c)
{
	*ret = (struct submit_setup){
		.own = { .listen = c->submission_listen,
			 .networks = c->submission_networks,
			 .max_size = c->submission_max_size,
			 .max_rcpts = c->submission_max_rcpts,
			 .max_sessions = c->submission_max_sessions,
			 .max_sessions_client = c->submission_max_sessions_client,
			 .timeout = c->submission_timeout,
			 .tls_cert = c->tls_cert,
			 .tls_key = c->tls_key },
		.hostname = c->hostname,
		.expire_after = c->expire_after,
		.log_deliveries = c->log_deliveries,
	};
	copy_lists(&ret->own, c);
}
