/* control/federation/fetch.h - a request to an identity provider, over libcurl.
 *
 * An organisation names the host, so it is a stranger's: https with a certificate that leads to a
 * known authority; no redirects, no proxy, at most 64 KiB and federation.timeout; the address is
 * checked where the connection is made, after the one look-up of its name, so that no name can lead
 * to a host that only we can reach.  federation.private_hosts and federation.http_loopback allow
 * what is private.
 *
 * Guarantee: at most federation.requests are under way, and half of them for one organisation, so
 *            that no slow provider keeps the API's workers or another organisation's people.
 * Blocks:    for federation.timeout and a second at most; call it outside of a transaction.
 * Fails:     E_FULL (too many under way), E_TIMEOUT, E_DENIED (the address or the URL is not
 *            allowed), E_LIMIT (too long); -EIO for everything else; `why` then says
 *            what went wrong, without a secret.
 * Threads:   any. */
#pragma once
#include <jansson.h>

#include "base/buf.h"
#include "control/app/app.h"

enum { FEDERATION_BYTES_MAX = 64 * 1024, FEDERATION_WHY_MAX = 160 };
struct federation_request {
	uint32_t org;
	const char *url;
	struct slice form;         /* a POST of this; empty: a GET */
	const char *authorization; /* the header's value, or NULL */
};
struct federation_reply {
	unsigned status;
	struct buf body;
	char why[FEDERATION_WHY_MAX];
};
int federation_fetch(const struct app *app, const struct federation_request *q,
		     struct federation_reply *ret) MUST_CHECK;
/* The same, and its body as a JSON object when the status is 200; else -EIO. */
int federation_fetch_json(const struct app *app, const struct federation_request *q,
			  char why[FEDERATION_WHY_MAX], json_t **ret) MUST_CHECK;
