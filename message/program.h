/* message/program.h - a message ready to be expanded: literal spans and field slots, already
 * MIME-encoded.  A program is bytes: it is stored in the spool as a content and read in place.
 *
 * Guarantee: no field value can add a header, end a MIME part or break out of its escaping:
 * every slot knows its place (header, plain text, HTML text, HTML attribute, URL, raw HTML where
 * the template says {{{x}}}), and its transfer encoding (quoted-printable, the column kept).
 *
 * Owns:    program_load() gives a view that points into the caller's bytes; program_free() ends it.
 * Blocks:  never.
 * Fails:   E_CORRUPT for bytes that are not a program; E_LIMIT when an expansion passes out->max or
 *          takes more than PROGRAM_STEPS_MAX steps.
 * Threads: a loaded program never changes: any number of threads may expand it. */
#pragma once
#include "base/buf.h"
#include "base/value.h"

enum { PROGRAM_STEPS_MAX = 1000000, PROGRAM_FIELDS_MAX = 256, PROGRAM_DEPTH_MAX = 16 };

struct program;
struct program *program_free(struct program *p);
DEFINE_OWNED(program)

int program_load(struct program **ret, struct slice bytes) MUST_CHECK;
/* Names of the fields in the order in which row values are given. */
unsigned program_field_count(const struct program *p);
struct slice program_field_name(const struct program *p, unsigned i);

/* The values of a row, and those that the engine itself supplies. */
struct expand_input {
	const struct value *fields; /* program_field_count(); missing trailing ones are null */
	unsigned n_fields;
	struct slice recipient;  /* address: the To header, {{email}} */
	struct slice message_id; /* without angle brackets */
	int64_t date_ms;         /* Date header */
};
/* Appends the whole message, CRLF lines, not dot-stuffed.  Allocates only when out must grow.  When
 * out->max is set, E_LIMIT may come up to 8 KiB early. */
int program_expand(const struct program *p, const struct expand_input *in,
		   struct buf *out) MUST_CHECK;
