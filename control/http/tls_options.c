/* control/http/tls_options.c - the option rows of TLS. */
#include "control/http/tls_options.h"

#include "control/http/route.h"

#define AT(member) offsetof(struct http_tls_options, member)

/* clang-format off */
static const struct option rows[] = {
	{"http.tls.certificate", T_STR, AT(certificate), 0, 0, "", false,
	 "File with our certificate and its chain (PEM), read again when it changes; empty: no TLS"},
	{"http.tls.key", T_STR, AT(key), 0, 0, "", false,
	 "File with the private key of that certificate (PEM), which others may not read"},
	{"http.tls.listeners", T_LIST, AT(listeners), 0, 0, "api, public", false,
	 "Which of api, public and admin speak TLS once there is a certificate; Unix sockets never do"},
	{"http.tls.clients", T_STR, AT(clients), 0, 0, "", false,
	 "File with the authorities whose client certificates API keys may name (PEM); empty: none are asked for"},
};
/* clang-format on */

static int add_listener(void *options, struct slice name)
{
	static const char *const names[] = { "api", "public", "admin" };
	struct http_tls_options *o = options;

	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		if (slice_eq(name, slice_str(names[i]))) {
			o->on |= 1U << i;
			return 0;
		}
	return E_SYNTAX;
}

static int derive(void *options, const struct settings *all UNUSED, struct option_fault *f)
{
	struct http_tls_options *o = options;
	int r;

	o->on = 0;
	r = option_entries(f, "http.tls.listeners", o->listeners, "api, public or admin",
			   add_listener, o);
	if (r >= 0 && !o->certificate[0] != !o->key[0])
		r = option_bad(f, "http.tls.key", slice_str(o->key),
			       "set together with http.tls.certificate");
	if (r >= 0 && o->clients[0] && !o->certificate[0])
		r = option_bad(f, "http.tls.clients", slice_str(o->clients),
			       "set together with http.tls.certificate");
	if (!o->certificate[0])
		o->on = 0;
	return r;
}

const struct option_set http_tls_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct http_tls_options),
	.derive = derive,
};
