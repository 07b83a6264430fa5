/* schema/wire/dsn.h - what a sender asks to be told of one recipient (RFC 3461), as the fields of
 * the row of a raw message: [ address, ref, notify: uint, orcpt: str ].  A row of which nothing was
 * asked has no fields.  Also xtext (RFC 3461 section 4).
 * Names:  wire_dsn_, wire_xtext_
 * Owns:   nothing; slices point into the row.
 * Fails:  wire_dsn_put(): as wire_row_put(); xtext: E_SYNTAX, E_LIMIT. */
#pragma once
#include "schema/wire/rows.h"

enum { WIRE_ENVID_MAX = 100, WIRE_ORCPT_MAX = 500 };
enum wire_notify {
	WIRE_NOTIFY_NEVER = 1,
	WIRE_NOTIFY_SUCCESS = 2,
	WIRE_NOTIFY_FAILURE = 4,
	WIRE_NOTIFY_DELAY = 8,
};
struct wire_dsn {
	unsigned notify;    /* enum wire_notify bits; 0: it was not said */
	struct slice orcpt; /* as it was given: type ";" xtext; empty: none */
};
int wire_dsn_put(struct buf *rows, struct slice address, const struct wire_dsn *d) MUST_CHECK;
/* Of a row of a raw message; what is not of this form says nothing. */
void wire_dsn_get(const struct wire_row *row, struct wire_dsn *ret);
/* May the sender be told of this?  Failures are told, delays too, where nothing was said. */
bool wire_dsn_wants(const struct wire_dsn *d, enum wire_notify what);

int wire_xtext_decode(struct slice in, struct buf *out) MUST_CHECK;
void wire_xtext_encode(struct slice in, struct buf *out);
