/* base/err.h - the one list of error codes.  Functions return 0 or more on success and a negative
 * code on failure: -errno, or one of ours from -1000 down.  What a remote server answers is a
 * verdict, not an error, and never appears here. */
#pragma once
#include <errno.h>

enum {
	E_CORRUPT = -1000,      /* stored bytes fail their checksum or their grammar */
	E_SYNTAX = -1001,       /* input does not follow its grammar */
	E_LIMIT = -1002,        /* input is larger than we accept */
	E_EOF = -1003,          /* the peer closed in good order */
	E_TIMEOUT = -1004,      /* a deadline passed */
	E_TLS = -1005,          /* handshake or record layer failed */
	E_FULL = -1006,         /* no room: disk reserve, queue or budget; try later */
	E_POISONED = -1007,     /* a sync failed; nothing further is accepted until restart */
	E_DNS_TEMP = -1008,     /* no usable answer now: SERVFAIL, timeout, lame */
	E_DNS_NONE = -1009,     /* the name exists but has no such record */
	E_DNS_NXDOMAIN = -1010, /* the name does not exist */
	E_UNKNOWN = -1011,      /* no such object: job, content, key, rule */
	E_EXISTS = -1012,       /* already there: success for callers that may repeat */
	E_CRYPTO = -1013,       /* key unusable or signature failed */
	E_DB = -1014,           /* PostgreSQL refused; the connection has the text */
	E_CONFLICT = -1015,     /* the object changed meanwhile, or the state forbids it */
	E_DENIED = -1016,       /* not allowed */
	E_ANSWERED = -1018,     /* the refusal is written already; only pass this on */
	E_CUT_OFF = -1019,      /* an address of ours reaches nobody whom others reach */
	E_NO_ROOM = -1020,      /* the queue of this tenant is full; try later, others may go on */
	E_VERSION = -1017,      /* written by a newer version: refused, not guessed */
};

/* Text of a code, ours or errno's; never NULL, thread-safe. */
const char *err_text(int err);
