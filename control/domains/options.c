/* control/domains/options.c - the option rows of sending domains. */
#include "control/domains/options.h"

#include "control/domains/spf_term.h"

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
};
/* clang-format on */

/* Senders put it before their "~all": mechanisms that verifiers can read and that let mail pass. */
static int derive(void *options, const struct settings *all UNUSED, struct option_fault *f)
{
	const struct domains_options *o = options;
	struct slice rest = slice_str(o->spf_include);
	struct spf_term t = { 0 };
	int r;

	while ((r = spf_term_next(&rest, &t)) > 0)
		if (t.qualifier != '+' || t.kind == SPF_ALL || t.kind >= SPF_REDIRECT)
			break;
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
