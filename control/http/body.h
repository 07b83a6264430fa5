/* control/http/body.h - reads the members of a JSON body into a struct, by a table.
 * Members that no row names, of a wrong type or out of bounds are collected with their pointers;
 * http_body_read() answers 422 when there are any.
 * null (RFC 7396) stands for the value of a new object: "" for a text that may be empty, zero with
 * BODY_RESET.  Where BODY_NULLABLE stands the handler decides; elsewhere null is refused. */
#pragma once
#include "control/http/call.h"

enum body_type {
	BODY_TEXT, /* struct slice; min and max in characters; UTF-8, controls only \t \n \r */
	BODY_LINE, /* struct slice; as text, but no controls at all: it goes into headers */
	BODY_NAME, /* struct slice; a line for people (plain_line()), without blanks at its ends */
	BODY_INT,  /* int64_t */
	BODY_BOOL, /* bool */
	BODY_TIME, /* int64_t milliseconds, from RFC 3339 */
	BODY_ID,   /* uint64_t; kind says which */
	BODY_LIST, /* json_t *, borrowed: an array; min and max are its length */
	BODY_OBJECT, /* json_t *, borrowed */
	BODY_EMAIL,  /* struct slice: one addr-spec, at most 320 bytes */
};
enum { BODY_REQUIRED = 1, BODY_NULLABLE = 2, BODY_RESET = 4 };
struct body_field {
	const char *name;
	enum body_type type;
	size_t offset;
	unsigned flags;
	int64_t min, max; /* max 0: no bound but the body's own */
	enum id_kind kind;
};
/* Which rows of the table were present, and which were null: bit n is row n. */
struct body_seen {
	uint64_t present, null;
};
/* The struct at out is zeroed, or holds what absent members keep. */
int http_body_read(struct call *c, const struct body_field *table, size_t n, void *out,
		   struct body_seen *ret_seen) MUST_CHECK;
#define body_has(seen, row) (((seen).present >> (row)) & 1)
