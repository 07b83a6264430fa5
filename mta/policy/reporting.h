/* mta/policy/reporting.h - where a domain wants reports about TLS: the record at _smtp._tls,
 * RFC 8460 section 3.
 *
 *	record = "v=TLSRPTv1" 1*( *WSP ";" *WSP field ) [ *WSP ";" *WSP ]
 *	field  = "rua=" uri *( *WSP "," *WSP uri ) / name "=" value            ; others are ignored
 *	uri    = "mailto:" address / "https://" host [ ":" port ] [ path ]
 *
 * The first "rua" counts.  Addresses of other schemes, and those that cannot be used, are left out.
 * Owns:   nothing.
 * Fails:  E_SYNTAX: it is no record, or nothing in it can be used.
 * Limits: REPORTING_URIS_MAX of them; more are left out. */
#pragma once
#include "dns/resolver.h"

enum { REPORTING_URIS_MAX = 4, REPORTING_TEXT_MAX = 512 };
struct reporting_uri {
	bool https;                    /* else mail */
	char text[REPORTING_TEXT_MAX]; /* the address of mail; the path of HTTPS, with its query */
	char host[DNS_NAME_MAX];       /* of HTTPS */
	uint16_t port;
};
struct reporting {
	unsigned n;
	struct reporting_uri uris[REPORTING_URIS_MAX];
};
int reporting_parse(struct slice txt, struct reporting *ret) MUST_CHECK;
/* The same from an answer that has exactly one such record. */
int reporting_of(const struct dns_answer *a, struct reporting *ret) MUST_CHECK;
/* An address of HTTPS by itself: "https://host[:port][/path]". */
int reporting_url(struct slice url, struct reporting_uri *ret) MUST_CHECK;
/* As the record has it, for people: "mailto:a@b" or "https://host/path".  ret holds
 * REPORTING_SHOWN_MAX. */
enum { REPORTING_SHOWN_MAX = REPORTING_TEXT_MAX + DNS_NAME_MAX + 16 };
const char *reporting_show(const struct reporting_uri *u, char *ret);
