/* schema/wire/rows.h - recipients of a job, as msgpack: the data of a job record.
 *
 *	data = rows back to back, each: [ address: str, ref: uint, field... ]
 *
 * The fields have no names here: the program in the content names them, in this order.  ref is the
 * control plane's own number of the recipient (its seq in the campaign), 0 for SMTP.  Events carry
 * job and row, from which the control plane derives it again.
 *
 * Owns:   wire_rows_open() gives the caller a view into `data`, which must outlive it.
 * Fails:  E_SYNTAX for bytes that are not rows, E_LIMIT past a bound; never reads past data.
 * Limits: 65,535 rows, 256 fields per row, strings of 65,535 bytes, nesting VALUE_DEPTH_MAX.  The
 *         memory of a view is at most a constant times data.n, whatever lengths the bytes claim. */
#pragma once
#include "base/buf.h"
#include "schema/wire/value.h"

enum { WIRE_ROWS_MAX = 65535, WIRE_FIELDS_MAX = 256, WIRE_STRING_MAX = 65535 };
struct wire_row {
	struct slice address;
	uint64_t ref;
	unsigned n_fields;
	const struct value *fields;
};
int wire_row_put(struct buf *out, struct slice address, uint64_t ref, const struct value *fields,
		 unsigned n_fields) MUST_CHECK;

struct wire_rows;
struct wire_rows *wire_rows_free(struct wire_rows *rows);
DEFINE_OWNED(wire_rows)
int wire_rows_open(struct wire_rows **ret, struct slice data, uint32_t expected_rows) MUST_CHECK;
/* The address alone, without decoding the fields: all that queueing needs. */
struct slice wire_rows_address(const struct wire_rows *rows, uint32_t i);
unsigned wire_rows_n_fields(const struct wire_rows *rows, uint32_t i);
/* Decodes the fields into the view's arena, at the first call for this row. */
int wire_rows_get(struct wire_rows *rows, uint32_t i, struct wire_row *ret) MUST_CHECK;
