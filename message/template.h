/* message/template.h - Mustache templates: checked when they are saved, compiled when a campaign is
 * composed.  The language is the published spec (comments, interpolation, sections, inverted
 * sections, dotted names, implicit iterator, delimiters, partials through the caller's lookup);
 * lambdas are not in it.  false, null, "" and the empty list are false; all else is true.
 *
 * Guarantee: where a slot stands decides how its value is written.  In the HTML part:
 *	text, <title>, <textarea>, comments    {{x}}: & < > " ' as entities
 *	"quoted attribute"                     the same, line ends too
 *	href="{{x}}" and other URL attributes  http, https and mailto URLs, else "#"
 *	href="https://a.example/?q={{x}}"      percent-encoded as a component
 *	style="color:{{x}}"                    letters, digits, space and #%.,- only
 *	<script>, <style>, on...=, unquoted attribute, tag or attribute name   refused
 *	{{{x}}}, {{&x}}                        the value is HTML; in text only, refused elsewhere
 * A section must end in the HTML context in which it began.  The text part and the subject take
 * values as they are, less their control characters.
 *
 * Owns:   nothing kept.  Blocks: never; the partial callback may.
 * Fails:  E_SYNTAX with the place in *ret_error, E_LIMIT past a bound (also in *ret_error).
 * Limits: 1 MiB a part, depth 16, 4096 tags a part, partials included; 256 fields. */
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
/* A field that templates may use.  In a section over a tree any name is allowed (its entries are
 * not known when the template is saved); elsewhere only these and "email", which always is. */
struct template_field {
	struct slice name;
	bool tree; /* its value may be a list or map */
};
struct template_env {
	const struct template_field *fields;
	unsigned n_fields;
	bool any_field; /* no list: every name is taken; for previews without a contact */
	/* Source of {{> name}}: 0, or E_UNKNOWN.  NULL: no partials.  The slice must live until the
	 * call that was given the env returns. */
	int (*partial)(void *arg, struct slice name, struct slice *ret);
	void *partial_arg;
};

/* What "save" calls: 0, or the first thing wrong. */
int template_check(const struct template_source *source, const struct template_env *env,
		   struct template_error *ret_error) MUST_CHECK;

/* Top-level names the three parts use, each once, in order of first use ("email" not among them).
 * ret_names holds cap slices into the source. Returns how many there are (at most cap written). */
int template_fields(const struct template_source *source, const struct template_env *env,
		    struct slice *ret_names, unsigned cap,
		    struct template_error *ret_error) MUST_CHECK;

/* Expands one part with a map of values, without MIME: what a preview shows. "email" is looked up
 * in the map as well. */
int template_render(enum template_part part, struct slice source, const struct template_env *env,
		    const struct value *values, struct buf *out,
		    struct template_error *ret_error) MUST_CHECK;
