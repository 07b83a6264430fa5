/* base/err.c - a text for each error code. */
#include "base/err.h"

#include <string.h>

static const struct {
	int code;
	const char *text;
} texts[] = {
	{ E_CORRUPT, "stored data is corrupt" },
	{ E_SYNTAX, "syntax error" },
	{ E_LIMIT, "too large" },
	{ E_EOF, "peer closed the connection" },
	{ E_TIMEOUT, "timed out" },
	{ E_TLS, "TLS failed" },
	{ E_FULL, "no room" },
	{ E_NO_ROOM, "the queue of the tenant is full" },
	{ E_POISONED, "spool stopped after a failed sync" },
	{ E_DNS_TEMP, "DNS lookup failed for now" },
	{ E_DNS_NONE, "no such DNS record" },
	{ E_DNS_NXDOMAIN, "domain does not exist" },
	{ E_UNKNOWN, "not found" },
	{ E_EXISTS, "exists already" },
	{ E_CRYPTO, "key unusable or signature failed" },
	{ E_DB, "database error" },
	{ E_CONFLICT, "conflict with the present state" },
	{ E_DENIED, "not allowed" },
	{ E_ANSWERED, "refused; the answer says why" },
	{ E_CUT_OFF, "it reaches no host that other sources reach" },
	{ E_VERSION, "written by a newer version" },
};

const char *err_text(int err)
{
	const char *text;

	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].code == err)
			return texts[i].text;
	text = strerrordesc_np(err < 0 ? -err : err);
	return text ? text : "unknown error";
}
