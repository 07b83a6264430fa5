/* message/compile_name.c - what a name in a template refers to. */
#include <stdio.h>

#include "message/compile_state.h"

/* ---- errors ------------------------------------------------------------------------------ */

int compile_refuse(struct template_error *error, enum template_part part, int code,
		   const char *text)
{
	*error = (struct template_error){ .part = part };
	(void)slice_copy(error->text, sizeof(error->text), slice_str(text));
	return code;
}

int compile_fault(struct compile *c, size_t at, int code, const char *why, struct slice name)
{
	struct template_error e = { .part = c->part, .line = 1, .column = 1 };
	size_t n = MIN_OF(name.n, (size_t)40);

	while (n < name.n && n > 0 && ((unsigned char)name.p[n] & 0xc0) == 0x80)
		n--; /* whole characters */
	for (size_t i = 0; i < at && i < c->source.n; i++) {
		if (c->source.p[i] == '\n') {
			e.line++;
			e.column = 1;
		} else if (((unsigned char)c->source.p[i] & 0xc0) != 0x80) {
			e.column++;
		}
	}
	(void)snprintf(e.text, sizeof(e.text), "%s%.*s%s%s%.*s%s",
		       c->partial.n ? "in partial " : "", (int)MIN_OF(c->partial.n, (size_t)40),
		       c->partial.p, c->partial.n ? ": " : "", why, (int)n, name.p,
		       name.n ? "\"" : "");
	*c->error = e;
	return code;
}

int compile_fault_limit(struct compile *c, size_t at, int code)
{
	return compile_fault(
	    c, at, code, code == E_LIMIT ? "the template is too large" : err_text(code), NO_NAME);
}

/* ---- names ------------------------------------------------------------------------------- */

static const struct template_field *known(const struct compile *c, struct slice name)
{
	for (unsigned i = 0; i < c->env->n_fields; i++)
		if (slice_eq(c->env->fields[i].name, name))
			return &c->env->fields[i];
	return NULL;
}

bool compile_in_tree(const struct compile *c)
{
	return c->depth ? c->open[c->depth - 1].tree : c->base_tree;
}

static bool is_html(const struct compile *c, struct slice name)
{
	const char *dot = memchr(name.p, '.', name.n);
	const struct template_field *f =
	    known(c, dot ? slice_of(name.p, (size_t)(dot - name.p)) : name);

	return f && f->html;
}

bool compile_is_html(const struct compile *c, struct slice name)
{
	if (c->env->any_field || is_html(c, name))
		return true;
	/* In a section it may be the section's value, or an entry of it. */
	for (unsigned i = 0; i < c->depth; i++)
		if (!known(c, name) && !slice_eq(name, SLICE("email")) &&
		    is_html(c, c->open[i].name))
			return true;
	return false;
}

static unsigned split(struct slice name, struct slice *parts)
{
	unsigned n = 0;

	while (n < PROGRAM_PATH_MAX) {
		const char *dot = memchr(name.p, '.', name.n);
		size_t k = dot ? (size_t)(dot - name.p) : name.n;
		parts[n++] = slice_of(name.p, k);
		if (!dot)
			return n;
		name = slice_skip(name, k + 1);
	}
	return 0;
}

/* The index of the field that `first` means outside of every section; FIELD_NONE when it can only
 * mean an entry of a section's value. */
static int root_field(struct compile *c, struct slice first, bool has_parts, size_t at,
		      bool *ret_tree)
{
	const struct template_field *f = known(c, first);
	int r;

	if (slice_eq(first,
		     SLICE("email"))) /* always the recipient, even when a field has this name */
		return FIELD_EMAIL;
	if (!f && !c->env->any_field) {
		*ret_tree = true;
		return compile_in_tree(c)
			   ? FIELD_NONE
			   : compile_fault(c, at, E_SYNTAX, "there is no field \"", first);
	}
	if (f && !f->tree && has_parts && !compile_in_tree(c))
		return compile_fault(c, at, E_SYNTAX, "this field has no parts: \"", first);
	*ret_tree = !f || f->tree;
	r = build_field(c->build, first);
	if (r == E_LIMIT)
		return compile_fault(c, at, r, "too many fields: a template may use 256", NO_NAME);
	return r < 0 ? compile_fault_limit(c, at, r) : r;
}

int compile_resolve(struct compile *c, struct slice name, size_t at, struct op *op, bool *ret_tree)
{
	struct slice parts[PROGRAM_PATH_MAX];
	unsigned n, skip;
	int r;

	*ret_tree = false;
	op->field = FIELD_NONE;
	op->ref = REF_TOP;
	if (slice_eq(name, SLICE("."))) {
		*ret_tree = compile_in_tree(c) || c->env->any_field;
		return 0;
	}
	n = split(name, parts);
	if (n == 0)
		return compile_fault(c, at, E_LIMIT, "the name has too many parts: 16 is the most",
				     NO_NAME);
	r = root_field(c, parts[0], n > 1, at, ret_tree);
	if (r < 0)
		return r;
	op->field = (uint16_t)r;
	op->ref = compile_in_tree(c) ? REF_STACK : REF_FIELD;
	skip = op->ref == REF_FIELD;
	op->n_path = (uint8_t)(n - skip);
	*ret_tree |= compile_in_tree(c);
	r = build_path(c->build, parts + skip, n - skip, &op->b);
	return r < 0 ? compile_fault_limit(c, at, r) : 0;
}
