/* control/contacts/sheet.h - a CSV stream cut into records, however its bytes arrive.
 *
 *	file   = [ BOM ] record *( newline record ) [ newline ]          (RFC 4180)
 *	record = field *( separator field )
 *	field  = *TEXTDATA / DQUOTE *( TEXTDATA / separator / CR / LF / 2DQUOTE ) DQUOTE
 *	newline = CRLF / LF / CR
 *
 * The separator is the caller's; RFC 4180 knows the comma only.  Spaces and tabs around a field are
 * not part of it, unless quotes hold them; lines without anything else are no records; a quote
 * inside a bare field is itself.
 *
 * Owns:   sheet_open() gives the caller the reader; a record's slices live until each() returns.
 * Blocks: never.
 * Fails:  E_LIMIT for a record past SHEET_RECORD_MAX (an unclosed quote looks like that),
 *         E_SYNTAX when the stream ends inside quotes.  A negative code of each() ends the feed.
 * Limits: fields past SHEET_FIELDS_MAX are counted in n_seen, but not given. */
#pragma once
#include "base/base.h"

enum { SHEET_RECORD_MAX = 64 * 1024, SHEET_FIELDS_MAX = 4096 };

struct sheet_record {
	uint64_t line;   /* where it starts; the first line is 1 */
	unsigned n;      /* fields given */
	unsigned n_seen; /* fields there were */
	const struct slice *fields;
};
typedef int (*sheet_each)(void *arg, const struct sheet_record *r);

struct sheet;
struct sheet *sheet_free(struct sheet *s);
DEFINE_OWNED(sheet)

int sheet_open(struct sheet **ret, char separator, sheet_each each, void *arg) MUST_CHECK;
int sheet_feed(struct sheet *s, struct slice bytes) MUST_CHECK;
int sheet_end(struct sheet *s) MUST_CHECK;
uint64_t sheet_line(const struct sheet *s); /* where the reader stands: for error messages */
