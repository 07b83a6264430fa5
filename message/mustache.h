/* message/mustache.h - splits a template into literal text and tags, after the published spec.
 *
 *	template = *( literal / tag )
 *	tag      = "{{" [ "#" / "^" / "/" / ">" / "&" ] name "}}" / "{{{" name "}}}"
 *	         / "{{!" any "}}" / "{{=" open SP close "=}}"
 *	name     = "." / part *( "." part );  part = 1*( ALPHA / DIGIT / "_" / "-" / UTF-8 )
 *
 * When a section, end, partial, comment or delimiter tag is alone on its line, the whole
 * line goes with it.
 * Owns: nothing; slices point into the source. */
#pragma once
#include "base/base.h"

enum tag_kind {
	TAG_END,  /* of the source */
	TAG_NONE, /* a comment or new delimiters: nothing to do */
	TAG_SLOT,
	TAG_RAW, /* {{{x}}}, {{&x}} */
	TAG_SECTION,
	TAG_INVERTED,
	TAG_CLOSE,
	TAG_PARTIAL,
};
enum { DELIMITER_MAX = 16 };

struct mustache {
	struct slice source;
	size_t pos;
	struct slice open, close;
};
struct mustache_tag {
	struct slice literal; /* text before the tag */
	enum tag_kind kind;
	struct slice name;
	struct slice indent; /* white space before a partial alone on its line */
	bool alone;
	size_t at; /* where the tag starts; after an error, where the mistake is */
};

void mustache_init(struct mustache *m, struct slice source);
/* E_SYNTAX: *ret_why says what is wrong, ret->at where. */
int mustache_next(struct mustache *m, struct mustache_tag *ret, const char **ret_why) MUST_CHECK;
