/* message/template.h - Mustache templates: checked when they are saved, compiled when a campaign is
 * composed.  The language is the published spec: comments, interpolation, sections, inverted
 * sections, dotted names, implicit iterator, delimiters, partials through the caller's lookup, but
 * not lambdas.  false, null, "" and the empty list are false; everything else is true.
 *
 * Guarantee: where a slot stands decides how its value is written.  In the HTML part:
 *	text, <title>, <textarea>, comments    {{x}}: & < > " ' as entities
 *	"quoted attribute"                     the same, line ends too
 *	href="{{x}}" and other URL attributes  http, https and mailto URLs, else "#"
 *	href="https://a.example/?q={{x}}"      percent-encoded as a component
 *	style="color:{{x}}"                    letters, digits, space and #%.,- only
 *	<script>, <style>, on...=, unquoted attribute, tag or attribute name   refused
 *	{{{x}}}, {{&x}}                        the value is HTML; in text only, and only fields that
 *	                                       are declared so; refused elsewhere
 * A section must end in the HTML context in which it began.  The text part and the subject take
 * values as they are, without their control characters.
 *
 * Owns:   nothing.
 * Blocks: never; the partial callback may.
 * Fails:  E_SYNTAX, E_LIMIT past a bound; *ret_error says what and where.
 * Limits: per part 1 MiB, depth 16 and 4096 tags, partials included; 256 fields. */
#pragma once
#include "base/buf.h"
#include "base/value.h"

enum { TEMPLATE_SOURCE_MAX = 1024 * 1024, TEMPLATE_TAGS_MAX = 4096, TEMPLATE_DEPTH_MAX = 16 };

enum template_part {
	TEMPLATE_SUBJECT,
	TEMPLATE_HTML,
	TEMPLATE_TEXT,
	TEMPLATE_URL,        /* List-Unsubscribe */
	TEMPLATE_PLAIN_HTML, /* the spec's own rules: HTML escaping everywhere; for tests */
};
/* "subject", "html", "text", "list_unsubscribe", "plain" */
const char *template_part_name(enum template_part part);

struct template_error {
	enum template_part part;
	unsigned line, column; /* from 1; column counts characters.  0: the part as a whole */
	char text[200];        /* what is wrong and what would be right, UTF-8 */
};
struct template_source {
	struct slice subject, html, text; /* html or text may be empty, not both */
};
/* A field that templates may use, besides "email", which they always may.  In a section over a tree
 * any name is allowed, because its entries are not known when the template is saved. */
struct template_field {
	struct slice name;
	bool tree; /* its value may be a list or map */
	bool html; /* its values are HTML, and so are those within: {{{x}}} may show them */
};
struct template_env {
	const struct template_field *fields;
	unsigned n_fields;
	bool any_field;   /* every name is a field, and HTML; for tests */
	bool raw_escaped; /* {{{x}}} of what is no HTML is written as {{x}}, instead of refused */
	/* Source of {{> name}}: 0, or E_UNKNOWN.  NULL: no partials.  The slice must live until the
	 * call that was given the env returns. */
	int (*partial)(void *arg, struct slice name, struct slice *ret);
	void *partial_arg;
};

/* For saving: 0, or the first mistake. */
int template_check(const struct template_source *source, const struct template_env *env,
		   struct template_error *ret_error) MUST_CHECK;

/* The top-level names that the three parts use, each once, in the order of first use, without
 * "email".  ret_names has room for cap slices into the source.  Gives their number, which may be
 * larger than cap. */
int template_fields(const struct template_source *source, const struct template_env *env,
		    struct slice *ret_names, unsigned cap,
		    struct template_error *ret_error) MUST_CHECK;

/* For previews: expands one part with a map of values, without MIME.  "email" is looked up in the
 * map as well. */
int template_render(enum template_part part, struct slice source, const struct template_env *env,
		    const struct value *values, struct buf *out,
		    struct template_error *ret_error) MUST_CHECK;
