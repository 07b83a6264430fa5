/* message/compile.c - one part of a template into ops: text, tags, sections, partials. */
#include "message/compile_state.h"

#include "base/encode.h"

struct compile *compile_new(const struct template_env *env, struct build *build,
			    struct template_error *error)
{
	struct compile *c = must_alloc(sizeof(*c));

	c->env = env;
	c->build = build;
	c->error = error;
	return c;
}

struct compile *compile_free(struct compile *c)
{
	for (unsigned i = 0; c && i < c->n_routines; i++)
		free(c->routines[i].indent);
	free(c);
	return NULL;
}

/* ---- literal text ------------------------------------------------------------------------ */

static int text_in_url(struct compile *c, struct slice s, size_t at)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= 0x20 || s.p[i] > 0x7e || strchr("<>\"\\^`{|}'", s.p[i]))
			return compile_fault(c, at + i, E_SYNTAX,
					     "this character cannot stand in a URL", NO_NAME);
	if (c->url_start && s.n && !escape_url_is_fit(s))
		return compile_fault(c, at, E_SYNTAX,
				     "a URL begins with https://, http:// or mailto:", NO_NAME);
	c->url_start = c->url_start && s.n == 0;
	return 0;
}

static int text_in_html(struct compile *c, struct slice s, size_t at)
{
	for (size_t i = 0; i < s.n; i++) {
		const char *why = html_feed(&c->html, s.p[i]);
		if (why)
			return compile_fault(c, at + i, E_SYNTAX, why, NO_NAME);
	}
	return 0;
}

static int text_checked(struct compile *c, struct slice s, size_t at)
{
	const char *lf;

	switch (c->part) {
	case TEMPLATE_HTML:
		return text_in_html(c, s, at);
	case TEMPLATE_URL:
		return text_in_url(c, s, at);
	case TEMPLATE_SUBJECT:
		lf = memchr(s.p, '\n', s.n);
		return lf ? compile_fault(c, at + (size_t)(lf - s.p), E_SYNTAX,
					  "the subject must be one line", NO_NAME)
			  : 0;
	default:
		return 0;
	}
}

static int put_indent(struct compile *c)
{
	if (!c->line_start || !c->indent.n)
		return 0;
	c->line_start = false;
	return build_text(c->build, c->indent);
}

/* Each line of a partial's text gets the white space that stands before its tag. */
static int put_text(struct compile *c, struct slice s)
{
	int r = 0;

	if (!c->indent.n)
		return build_text(c->build, s);
	while (s.n && r == 0) {
		const char *lf = memchr(s.p, '\n', s.n);
		size_t n = lf ? (size_t)(lf - s.p) + 1 : s.n;
		r = put_indent(c);
		if (r == 0)
			r = build_text(c->build, slice_of(s.p, n));
		c->line_start = lf != NULL;
		s = slice_skip(s, n);
	}
	return r;
}

static int on_literal(struct compile *c, struct slice s)
{
	size_t at = (size_t)(s.p - c->source.p);
	int r;

	if (s.n == 0)
		return 0;
	r = text_checked(c, s, at);
	if (r < 0)
		return r;
	r = put_text(c, s);
	return r < 0 ? compile_fault_limit(c, at, r) : 0;
}

/* ---- tags -------------------------------------------------------------------------------- */

/* Outside of HTML {{name}} and {{{name}}} give the same. */
static int pick_raw(struct compile *c, const struct mustache_tag *t, bool *ret)
{
	*ret = t->kind == TAG_RAW;
	if (!*ret || c->part != TEMPLATE_HTML || compile_is_html(c, t->name))
		return 0;
	*ret = false;
	return c->env->raw_escaped
		   ? 0
		   : compile_fault(
			 c, t->at, E_SYNTAX,
			 "this field is no HTML, so it cannot stand unescaped; use {{ }}: \"",
			 t->name);
}

static int pick_escape(struct compile *c, const struct mustache_tag *t, enum escape *ret)
{
	const char *why;
	bool raw;
	int r = pick_raw(c, t, &raw);

	if (r < 0)
		return r;
	switch (c->part) {
	case TEMPLATE_HTML:
		why = html_slot(&c->html, raw, ret);
		return why ? compile_fault(c, t->at, E_SYNTAX, why, NO_NAME) : 0;
	case TEMPLATE_URL:
		*ret = c->url_start ? ESCAPE_LINK : ESCAPE_URL_PART;
		c->url_start = false;
		return 0;
	case TEMPLATE_SUBJECT:
		*ret = ESCAPE_HEADER;
		return 0;
	case TEMPLATE_TEXT:
		*ret = ESCAPE_TEXT;
		return 0;
	default:
		*ret = raw ? ESCAPE_RAW : ESCAPE_HTML;
		return 0;
	}
}

static int emit(struct compile *c, struct op op, size_t at)
{
	int r = build_op(c->build, op);

	return r < 0 ? compile_fault_limit(c, at, r) : r;
}

static int on_slot(struct compile *c, const struct mustache_tag *t)
{
	struct op op = { .kind = OP_SLOT };
	enum escape e = ESCAPE_TEXT;
	bool tree;
	int r;

	r = compile_resolve(c, t->name, t->at, &op, &tree);
	if (r < 0)
		return r;
	r = pick_escape(c, t, &e);
	if (r < 0)
		return r;
	op.escape = (uint8_t)e;
	return emit(c, op, t->at);
}

static int on_section(struct compile *c, const struct mustache_tag *t)
{
	struct op op = { .kind = t->kind == TAG_SECTION ? OP_SECTION : OP_INVERTED };
	bool tree;
	int r;

	if (c->depth == TEMPLATE_DEPTH_MAX)
		return compile_fault(c, t->at, E_LIMIT,
				     "sections are nested too deep: 16 is the most", NO_NAME);
	r = compile_resolve(c, t->name, t->at, &op, &tree);
	if (r < 0)
		return r;
	r = emit(c, op, t->at);
	if (r < 0)
		return r;
	/* An inverted section opens no new value. */
	if (t->kind == TAG_INVERTED)
		tree = compile_in_tree(c);
	c->open[c->depth++] =
	    (struct section){ t->name, t->at, (uint32_t)r, tree, c->url_start, c->html };
	return 0;
}

static int on_close(struct compile *c, const struct mustache_tag *t)
{
	struct section *s;
	int r;

	if (c->depth == 0)
		return compile_fault(c, t->at, E_SYNTAX,
				     "no section is open here that this tag could close: \"",
				     t->name);
	s = &c->open[c->depth - 1];
	if (!slice_eq(s->name, t->name))
		return compile_fault(c, t->at, E_SYNTAX, "the section to be closed here is \"",
				     s->name);
	if (c->part == TEMPLATE_HTML && !html_join(&c->html, &s->html))
		return compile_fault(
		    c, t->at, E_SYNTAX,
		    "a section must end where it began in the HTML: in the text, in the same tag "
		    "between attributes, or in the same attribute",
		    NO_NAME);
	c->url_start |= s->url_start;
	c->depth--;
	r = emit(c, (struct op){ .kind = OP_END, .a = s->op }, t->at);
	if (r < 0)
		return r;
	build_op_at(c->build, s->op)->a = (uint32_t)r;
	return 0;
}

static bool same_place(const struct compile *c, const struct routine *r)
{
	return r->part == c->part && r->tree == compile_in_tree(c) &&
	       (c->part != TEMPLATE_HTML ||
		(r->html.state == c->html.state && r->html.attr == c->html.attr &&
		 r->html.conditional == c->html.conditional));
}

/* The indent of a partial: the present one and the white space before its tag. */
static int add_routine(struct compile *c, const struct mustache_tag *t, struct slice indent,
		       struct slice source)
{
	struct routine *r;
	char *copy;

	if (c->n_routines == ROUTINES_MAX)
		return compile_fault(c, t->at, E_LIMIT,
				     "too many partials are called: 256 is the most", NO_NAME);
	if (indent.n > INDENT_MAX)
		return compile_fault(c, t->at, E_LIMIT, "the partial is indented too far", NO_NAME);
	copy = must_copy(indent);
	r = &c->routines[c->n_routines];
	*r = (struct routine){ t->name, source, copy, c->part, c->html, compile_in_tree(c) };
	r->html.at_start = true;
	return (int)c->n_routines++;
}

static int find_routine(struct compile *c, const struct mustache_tag *t, struct slice source)
{
	struct buf indent;
	int r = -1;

	buf_init(&indent, 0);
	buf_put(&indent, t->alone ? c->indent : SLICE(""));
	buf_put(&indent, t->indent);
	for (unsigned i = 0; i < c->n_routines && r < 0; i++)
		if (slice_eq(c->routines[i].name, t->name) && same_place(c, &c->routines[i]) &&
		    slice_eq(slice_str(c->routines[i].indent), buf_data(&indent)))
			r = (int)i;
	if (r < 0)
		r = add_routine(c, t, buf_data(&indent), source);
	buf_free(&indent);
	return r;
}

static int on_partial(struct compile *c, const struct mustache_tag *t)
{
	struct slice source = { 0 };
	uint8_t state = c->html.state;
	int r;

	if (!c->env->partial)
		return compile_fault(c, t->at, E_SYNTAX, "there are no partials here: \"", t->name);
	if (c->part == TEMPLATE_URL || (c->part == TEMPLATE_HTML && state != HTML_TEXT &&
					state != HTML_DOUBLE && state != HTML_SINGLE))
		return compile_fault(c, t->at, E_SYNTAX, "a partial cannot stand here", NO_NAME);
	r = c->env->partial(c->env->partial_arg, t->name, &source);
	if (r == E_UNKNOWN) /* the specification takes it as empty; in mail it is a mistake */
		return c->part == TEMPLATE_PLAIN_HTML
			   ? 0
			   : compile_fault(c, t->at, E_SYNTAX, "there is no partial \"", t->name);
	if (r < 0)
		return compile_fault(c, t->at, r, err_text(r), NO_NAME);
	if (source.n > TEMPLATE_SOURCE_MAX)
		return compile_fault(c, t->at, E_LIMIT, "the partial is too large", NO_NAME);
	r = find_routine(c, t, source);
	if (r < 0)
		return r;
	c->html.after_slot = true;
	r = emit(c, (struct op){ .kind = OP_CALL, .a = (uint32_t)r }, t->at);
	return r < 0 ? r : 0;
}

static int on_tag(struct compile *c, const struct mustache_tag *t)
{
	int r;

	if (++c->tags[c->part] > TEMPLATE_TAGS_MAX)
		return compile_fault(
		    c, t->at, E_LIMIT,
		    "too many tags: a part may have 4096, with those of its partials", NO_NAME);
	if (!t->alone) {
		r = put_indent(c);
		if (r < 0)
			return compile_fault_limit(c, t->at, r);
	}
	switch (t->kind) {
	case TAG_SLOT:
	case TAG_RAW:
		r = on_slot(c, t);
		break;
	case TAG_SECTION:
	case TAG_INVERTED:
		r = on_section(c, t);
		break;
	case TAG_CLOSE:
		r = on_close(c, t);
		break;
	case TAG_PARTIAL:
		r = on_partial(c, t);
		break;
	default:
		r = 0;
	}
	return r;
}

static int check_bytes(struct compile *c)
{
	struct slice s = c->source;

	if (s.n > TEMPLATE_SOURCE_MAX)
		return compile_fault(c, 0, E_LIMIT, "the template is too large: 1 MiB is the most",
				     NO_NAME);
	for (size_t i = 0, n; i < s.n; i += n) {
		unsigned char b = (unsigned char)s.p[i];
		n = utf8_length(slice_skip(s, i));
		if (n == 0)
			return compile_fault(c, i, E_SYNTAX, "this is not UTF-8", NO_NAME);
		if ((b < 0x20 && b != '\t' && b != '\r' && b != '\n') || b == 0x7f)
			return compile_fault(c, i, E_SYNTAX, "control characters cannot stand here",
					     NO_NAME);
	}
	return 0;
}

static int compile_source(struct compile *c)
{
	struct mustache m;
	struct mustache_tag t;
	const char *why = NULL;
	int r = check_bytes(c);

	if (r < 0)
		return r;
	c->depth = 0;
	c->line_start = true;
	mustache_init(&m, c->source);
	do {
		r = mustache_next(&m, &t, &why);
		if (r < 0)
			return compile_fault(c, t.at, r, why, NO_NAME);
		r = on_literal(c, t.literal);
		if (r >= 0 && t.kind != TAG_END)
			r = on_tag(c, &t);
		if (r < 0)
			return r;
	} while (t.kind != TAG_END);
	if (c->depth)
		return compile_fault(c, c->open[c->depth - 1].at, E_SYNTAX,
				     "this section is not closed: \"", c->open[c->depth - 1].name);
	return 0;
}

int compile_part(struct compile *c, enum template_part part, struct slice source)
{
	c->part = part;
	c->source = source;
	c->partial = c->indent = NO_NAME;
	c->html = (struct html){ 0 };
	c->url_start = true;
	c->base_tree = false;
	return compile_source(c);
}

static int compile_routine(struct compile *c, const struct routine *r, uint32_t *ret_start)
{
	int e;

	*ret_start = build_op_count(c->build);
	c->part = r->part;
	c->source = r->source;
	c->partial = r->name;
	c->indent = slice_str(r->indent);
	c->html = r->html;
	c->base_tree = r->tree;
	c->build->mode = c->build->raw                 ? BUILD_RAW
			 : c->part == TEMPLATE_SUBJECT ? BUILD_HEADER
						       : BUILD_BODY;
	e = compile_source(c);
	if (e < 0)
		return e;
	if (c->part == TEMPLATE_HTML && !html_join(&c->html, &r->html))
		return compile_fault(c, c->source.n, E_SYNTAX,
				     "a partial must end where it began in the HTML", NO_NAME);
	e = build_op(c->build, (struct op){ .kind = OP_RETURN });
	return e < 0 ? compile_fault_limit(c, c->source.n, e) : 0;
}

int compile_end(struct compile *c)
{
	uint32_t starts[ROUTINES_MAX];
	int r;

	/* Partials that are called on the way join the end of the list. */
	for (unsigned i = 0; i < c->n_routines; i++) {
		struct routine routine = c->routines[i];
		r = compile_routine(c, &routine, &starts[i]);
		if (r < 0)
			return r;
	}
	for (uint32_t i = 0; i < build_op_count(c->build); i++) {
		struct op *op = build_op_at(c->build, i);
		if (op->kind == OP_CALL)
			op->a = starts[op->a];
	}
	return 0;
}
