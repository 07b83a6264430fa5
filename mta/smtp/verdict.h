/* mta/smtp/verdict.h - what the world answered about one recipient: data, never an error.
 * Owns:   nothing; a verdict is a value with its text in it.
 * Fails:  never.
 * Limits: texts of VERDICT_TEXT_MAX bytes; a longer text is cut at a whole character. */
#pragma once
#include "schema/wire/status.h"

enum verdict_kind { VERDICT_NONE, VERDICT_DELIVERED, VERDICT_DEFERRED, VERDICT_BOUNCED };
enum { VERDICT_TEXT_MAX = 512 };

struct verdict {
	enum verdict_kind kind;
	uint16_t code;        /* 0: no reply; from us or the connection */
	struct status status; /* derived from the code when the reply had none */
	/* It says something about the host or site, not about this recipient: 421, 4xx at the
	 * greeting, connection trouble. */
	bool site;
	uint16_t text_n;
	char text[VERDICT_TEXT_MAX];
};

/* Our own judgement: code 0, text from format (may be cut). */
void verdict_set(struct verdict *v, enum verdict_kind kind, struct status status, bool site,
		 const char *format, ...) PRINTF(5, 6);
/* Appends, cleaned: controls and invalid UTF-8 become '?', so that the text is one line of valid
 * UTF-8 wherever it goes.  It is cut at VERDICT_TEXT_MAX. */
void verdict_add_text(struct verdict *v, struct slice s);
/* Copies what is used of the text, not the whole struct. */
void verdict_copy(struct verdict *to, const struct verdict *from);
static inline struct slice verdict_text(const struct verdict *v)
{
	return slice_of(v->text, v->text_n);
}
