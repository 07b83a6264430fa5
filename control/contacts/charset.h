/* control/contacts/charset.h - in which character set a file is written, and its text as UTF-8.
 *
 *   a byte order mark decides (UTF-8, UTF-16 either way round); then zeros at every other byte
 *   (UTF-16 without a mark); then whether the bytes are UTF-8.  What is not UTF-8 is windows-1252,
 *   the superset of ISO 8859-1 that spreadsheets write, if it reads as that (latin.h), unless it
 *   holds more good UTF-8 than bad: that is a UTF-8 file with damage.
 *
 * Owns:      nothing; the structs are the caller's.
 * Blocks:    never.
 * Guarantee: what charset_decode() appends is UTF-8, and how the input is cut does not matter.
 *            UTF-8 is passed on as it is, damage and all.
 * Limits:    no UTF-32, and of 8-bit sets only this one: others are refused where they show. */
#pragma once
#include "base/buf.h"
#include "control/contacts/latin.h"

enum charset { CHARSET_UTF8 = 1, CHARSET_UTF16LE, CHARSET_UTF16BE, CHARSET_WINDOWS_1252 };
const char *charset_name(enum charset c);

enum { CHARSET_HEAD = 4096 }; /* what the first piece of a scan should have, unless it is all */
struct charset_scan {
	enum charset sure; /* the front says so; 0: not */
	bool binary;       /* a spreadsheet's own format, a picture, ... */
	bool begun;
	unsigned n_carry;
	char carry[4];
	uint64_t good, bad; /* characters of several bytes, and bytes that are none */
	struct latin_scan latin;
};
/* Pieces of the file from its start; zeroed before the first. */
void charset_scan(struct charset_scan *s, struct slice piece);
/* After the last piece: E_SYNTAX for what is no text, E_UNKNOWN for text in a set that is none of
 * these. */
int charset_scan_end(struct charset_scan *s, enum charset *ret) MUST_CHECK;

struct charset_decoder {
	enum charset from;
	unsigned n_carry;
	unsigned char carry[4];
};
/* Appends the piece as UTF-8; what is no character becomes U+FFFD.  last: nothing follows. */
int charset_decode(struct charset_decoder *d, struct slice piece, bool last,
		   struct buf *out) MUST_CHECK;
