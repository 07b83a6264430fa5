/* message/aggregate/aggregate.h - reports about a domain that others send each day: DMARC aggregate
 * reports (RFC 7489 appendix C, RFC 9990; XML) and TLS reports (RFC 8460; JSON), plain, gzipped or
 * zipped.  From the bytes of an attachment to what they say, as JSON of our own:
 *
 *	{"type": "dmarc", "org", "email", "id", "domain", "begin", "end", "policy": {...},
 *	 "rows": [{"ip", "count", "disposition", "dkim", "spf", "header_from",
 *	 "envelope_from", "reason", "auth": [{"by": "dkim", "domain", "selector",
 *	 "result"}, ...]}, ...], "messages", "more"}
 *	{"type": "tlsrpt", "org", "contact", "id", "begin", "end", "policies": [{"type",
 *	 "domain", "success", "failure", "failures": [{"result", "sessions", "from",
 *	 "host", "to", "reason"}]}], "more"}
 *
 * What a report does not say is left out.  "more" says that rows were left out for want of room;
 * "messages" counts them all.
 *
 * Owns:   nothing; the caller's bufs get the text.
 * Blocks: never.
 * Fails:  never: what is no such report is AGGREGATE_NONE, and nothing is written.
 * Limits: AGGREGATE_PLAIN_MAX bytes unpacked, at most AGGREGATE_RATIO times what was packed;
 *         the first entry of a zip file; AGGREGATE_JSON_MAX bytes of JSON.  A document type
 *         declaration is refused. */
#pragma once
#include "base/buf.h"

enum {
	AGGREGATE_PLAIN_MAX = 8 * 1024 * 1024,
	AGGREGATE_RATIO = 200,
	AGGREGATE_JSON_MAX = 256 * 1024,
};
enum aggregate_kind { AGGREGATE_NONE, AGGREGATE_DMARC, AGGREGATE_TLSRPT };
/* identity: its maker and the name that they gave it. */
enum aggregate_kind aggregate_read(struct slice attachment, struct buf *json, struct buf *identity);

/* unpack.c: appends what is packed, or the bytes themselves.  E_SYNTAX, E_LIMIT. */
int aggregate_unpack(struct slice packed, struct buf *out) MUST_CHECK;
/* pack.c: appends it gzipped.  E_LIMIT: more than AGGREGATE_PLAIN_MAX bytes. */
int aggregate_pack(struct slice plain, struct buf *out) MUST_CHECK;
