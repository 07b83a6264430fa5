/* control/domains/options.c - the option rows of sending domains. */
#include "control/domains/options.h"

#include <stdio.h>

#include "control/domains/spf_term.h"
#include "message/mailbox.h"

#define AT(member) offsetof(struct domains_options, member)
#define SEC(n) ((int64_t)(n)*1000)
#define MIN(n) SEC((n)*60)

/* clang-format off */
static const struct option rows[] = {
	{"dns.servers", T_LIST, AT(dns_servers), 0, 0, "", false,
	 "Resolvers for verifying domains, as address:port; empty: those of /etc/resolv.conf"},
	{"dns.timeout", T_DURATION, AT(dns_timeout), 100, MIN(1), "5s", false,
	 "Longest time that one DNS question may take when a domain is verified"},
	{"domains.spf", T_STR, AT(spf_include), 0, 450, "", false,
	 "What customers add to their SPF record, such as include:spf.example.net or ip4:203.0.113.7"},
	{"domains.return_path_host", T_STR, AT(return_path_host), 0, 253, "", false,
	 "Host that receives bounces, the MX of return-path names; empty: none"},
	{"domains.tracking_host", T_STR, AT(tracking_host), 0, 253, "", false,
	 "Host of the public listener, the CNAME target of tracking names; empty: none"},
	{"domains.return_path", T_STR, AT(return_path), 0, 320, "", false,
	 "Address for bounces while the sender's return path does not reach us; empty: bounces@ at domains.return_path_host"},
	{"domains.degraded_grace", T_DURATION, AT(degraded_grace), SEC(1), MIN(60 * 24 * 30), "3d", true,
	 "How long a degraded domain may go on sending before its campaigns are paused"},
};
/* clang-format on */

/* Senders put it before their "~all": mechanisms that verifiers can read and that let mail pass. */
static int derive(void *options, const struct settings *all UNUSED, struct option_fault *f)
{
	const struct domains_options *o = options;
	struct slice rest = slice_str(o->spf_include);
	struct spf_term t = { 0 };
	struct mailbox box;
	int r;

	while ((r = spf_term_next(&rest, &t)) > 0)
		if (t.qualifier != '+' || t.kind == SPF_ALL || t.kind >= SPF_REDIRECT)
			break;
	if (o->return_path[0] &&
	    mailbox_parse(slice_str(o->return_path), MAILBOX_CONTACT, &box) < 0)
		return option_bad(f, "domains.return_path", slice_str(o->return_path),
				  "an address such as bounces@mail.example.net");
	if (r != 0)
		return option_bad(f, "domains.spf", t.text,
				  "a mechanism such as include:spf.example.net or ip4:203.0.113.7");
	return 0;
}

const struct option_set domains_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct domains_options),
	.derive = derive,
};

void domains_return_path(const struct app *app, char ret[RETURN_PATH_MAX])
{
	const struct domains_options *o = domains_options(app);

	if (o->return_path[0])
		(void)snprintf(ret, RETURN_PATH_MAX, "%s", o->return_path);
	else if (o->return_path_host[0])
		(void)snprintf(ret, RETURN_PATH_MAX, "bounces@%s", o->return_path_host);
	else
		ret[0] = '\0';
}
