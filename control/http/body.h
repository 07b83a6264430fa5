/* control/http/body.h - members of a JSON body into a struct, by a table.
 * A member that no row names, of another type, or past its bounds is collected with its pointer;
 * http_body_read() answers 422 when anything was. */
#pragma once
#include "control/http/call.h"

enum body_type {
	BODY_TEXT,   /* struct slice; min and max in bytes; valid UTF-8 without NUL, no control but
			\t\n\r */
	BODY_LINE,   /* struct slice; as text, and no CR, LF or tab either: goes into headers */
	BODY_INT,    /* int64_t */
	BODY_BOOL,   /* bool */
	BODY_TIME,   /* int64_t milliseconds, from RFC 3339 */
	BODY_ID,     /* uint64_t; kind says which */
	BODY_LIST,   /* json_t *, borrowed: an array; min and max are its length */
	BODY_OBJECT, /* json_t *, borrowed */
	BODY_EMAIL,  /* struct slice: one addr-spec, at most 320 bytes */
};
enum { BODY_REQUIRED = 1, BODY_NULLABLE = 2 };
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
/* The struct at out must be zeroed, or hold what absent members keep. */
int http_body_read(struct call *c, const struct body_field *table, size_t n, void *out,
		   struct body_seen *ret_seen) MUST_CHECK;
#define body_has(seen, row) (((seen).present >> (row)) & 1)
