/* control/http/options.c - the option rows of the HTTP server. */
#include "control/http/options.h"

#include "control/http/origin.h"

#define AT(member) offsetof(struct http_options, member)
#define SEC(n) ((int64_t)(n)*1000)
#define MIN(n) SEC((n)*60)
#define MIB(n) ((int64_t)(n) << 20)

/* clang-format off */
static const struct option rows[] = {
	{"http.api.listen", T_STR, AT(api_listen), 0, 0, "127.0.0.1:8080", false,
	 "Address and port of the API, or the path of a Unix socket"},
	{"http.public.listen", T_STR, AT(public_listen), 0, 0, "127.0.0.1:8081", false,
	 "Address and port of the pages for recipients (unsubscribe); empty: none"},
	{"http.admin.listen", T_STR, AT(admin_listen), 0, 0, "", false,
	 "Loopback address and port of the platform's API, or path of a Unix socket; empty: none"},
	{"http.trusted_proxies", T_LIST, AT(trusted_proxies), 0, 0, "", false,
	 "Networks of the reverse proxies whose X-Forwarded-For is trusted"},
	{"http.workers", T_INT, AT(workers), 1, 256, "4", false,
	 "Threads that answer requests, each with one database connection"},
	{"http.queue", T_INT, AT(queue), 1, 100000, "1024", false,
	 "Requests that may wait for a worker; further ones are answered with 503"},
	{"http.connections", T_INT, AT(connections), 8, 100000, "1024", false,
	 "Open connections per listener; when there are more, the one that waits longest is closed"},
	{"http.connections_per_address", T_INT, AT(per_address), 1, 100000, "128", false,
	 "Of these, for one client address (IPv6: /64); http.trusted_proxies are not counted"},
	{"http.head_timeout", T_DURATION, AT(head_timeout), SEC(1), MIN(10), "10s", false,
	 "How long a new connection may take until the head of its first request is complete"},
	{"http.body_timeout", T_DURATION, AT(body_timeout), SEC(1), MIN(10), "20s", false,
	 "How long a body may take, or a reply be taken; what flows at http.body_rate may take longer"},
	{"http.body_rate", T_SIZE, AT(body_rate), 1, MIB(1024), "4K", false,
	 "Bytes of a body or a reply that extend http.body_timeout by a second"},
	{"http.timeout", T_DURATION, AT(timeout), SEC(1), MIN(10), "30s", false,
	 "How long a connection may be silent, and how long it is kept for its next request"},
	{"http.upload_max", T_SIZE, AT(upload_max), MIB(1), MIB(65536), "1G", false,
	 "Largest file that may be imported"},
	{"http.cookie_secure", T_BOOL, AT(cookie_secure), 0, 0, "yes", false,
	 "Set session cookies for HTTPS only, and tell browsers to stay with HTTPS"},
	{"api.burst", T_INT, AT(caller_burst), 20, 100000000, "1000", false,
	 "Requests that one API key or person may send at once; costly ones count for 20"},
	{"api.per_minute", T_INT, AT(caller_per_minute), 1, 100000000, "6000", false,
	 "Requests that one API key or person may send per minute in the long run"},
	{"api.org_burst", T_INT, AT(org_burst), 20, 100000000, "5000", false,
	 "Requests that the keys and people of one organisation together may send at once"},
	{"api.org_per_minute", T_INT, AT(org_per_minute), 1, 100000000, "30000", false,
	 "Requests that they may send per minute in the long run"},
	{"api.address_burst", T_INT, AT(address_burst), 20, 100000000, "3000", false,
	 "Requests to the API that one client address may send at once"},
	{"api.address_per_minute", T_INT, AT(address_per_minute), 1, 100000000, "18000", false,
	 "Requests to the API that one client address may send per minute in the long run"},
	{"api.origins", T_LIST, AT(api_origins), 0, 0, "", false,
	 "Origins of web pages that may call the API for every organisation, like https://app.example"},
	{"auth.wrong_burst", T_INT, AT(wrong_burst), 1, 1000000, "60", false,
	 "Wrong keys, sessions and tokens that are told apart from one client address at once"},
	{"auth.wrong_per_minute", T_INT, AT(wrong_per_minute), 1, 1000000, "30", false,
	 "Wrong keys, sessions and tokens from one client address per minute in the long run"},
	{"auth.burst", T_INT, AT(brake_burst), 1, 1000000, "20", false,
	 "Logins and sign-ups that one client address may try at once"},
	{"auth.per_minute", T_INT, AT(brake_per_minute), 1, 1000000, "10", false,
	 "Logins and sign-ups that one client address may try per minute in the long run"},
};
/* clang-format on */

static int add_proxy(void *options, struct slice entry)
{
	struct http_options *o = options;

	return o->n_proxies == PROXIES_MAX ? E_LIMIT
					   : ip_net_parse(entry, &o->proxies[o->n_proxies++]);
}

static int check_origin(void *options UNUSED, struct slice entry)
{
	struct origin parts;

	return origin_parse(entry, &parts) ? E_SYNTAX : 0;
}

static int derive(void *options, const struct settings *all UNUSED, struct option_fault *f)
{
	struct http_options *o = options;

	int r = option_entries(f, "http.trusted_proxies", o->trusted_proxies, "a network",
			       add_proxy, o);

	return r < 0 ? r
		     : option_entries(f, "api.origins", o->api_origins,
				      "origins as browsers send them: https://host or "
				      "https://host:port, without a path",
				      check_origin, o);
}

const struct option_set http_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct http_options),
	.derive = derive,
};
