/* control/federation/options.c - the option rows of signing in at another party. */
#include "control/federation/options.h"

#define AT(member) offsetof(struct federation_options, member)
#define SEC(n) ((int64_t)(n)*1000)

/* clang-format off */
static const struct option rows[] = {
	{"federation.private_hosts", T_LIST, AT(private_hosts), 0, 0, "", false,
	 "Hosts of identity providers that may have private addresses, by name"},
	{"federation.http_loopback", T_BOOL, AT(http_loopback), 0, 0, "no", false,
	 "An identity provider may be reached over http at a loopback address: for tests"},
	{"federation.ca_file", T_STR, AT(ca_file), 0, 0, "", false,
	 "File with the certificates that those of identity providers must lead to; empty: the system's"},
	{"federation.timeout", T_DURATION, AT(timeout), SEC(1), SEC(30), "5s", false,
	 "How long one request to an identity provider may take"},
	{"federation.key_wait", T_DURATION, AT(key_wait), SEC(1), SEC(3600), "30s", false,
	 "How long after its keys were read a provider is not asked for them again, whatever a token says"},
	{"federation.requests", T_INT, AT(fetches), 1, 64, "2", false,
	 "Requests to identity providers at once; each keeps one of http.workers while it takes"},
};
/* clang-format on */

const struct option_set federation_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct federation_options),
};
