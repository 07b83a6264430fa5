/* message/template.c - checks, lists the fields of and renders a template. */
#include "message/template.h"

#include "message/compile.h"
#include "message/expand.h"

static const char *const part_names[] = {
	[TEMPLATE_SUBJECT] = "subject",  [TEMPLATE_HTML] = "html",
	[TEMPLATE_TEXT] = "text",        [TEMPLATE_URL] = "list_unsubscribe",
	[TEMPLATE_PLAIN_HTML] = "plain",
};

const char *template_part_name(enum template_part part)
{
	return part_names[part];
}

/* Compiles all three parts into b, only to see whether that works. */
static int compile_all(struct build *b, const struct template_source *s,
		       const struct template_env *env, struct template_error *error)
{
	OWNED(compile) c = compile_new(env, b, error);
	const struct {
		enum template_part part;
		struct slice source;
	} parts[] = {
		{ TEMPLATE_SUBJECT, s->subject },
		{ TEMPLATE_TEXT, s->text },
		{ TEMPLATE_HTML, s->html },
	};
	int r;

	if (s->html.n == 0 && s->text.n == 0)
		return compile_refuse(error, TEMPLATE_HTML, E_SYNTAX, "give html, text or both");
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		r = compile_part(c, parts[i].part, parts[i].source);
		if (r < 0)
			return r;
	}
	r = build_op(b, (struct op){ .kind = OP_RETURN });
	if (r < 0)
		return compile_refuse(error, TEMPLATE_HTML, r, "the template is too large");
	return compile_end(c);
}

int template_check(const struct template_source *source, const struct template_env *env,
		   struct template_error *ret_error)
{
	int r = template_fields(source, env, NULL, 0, ret_error);

	return r < 0 ? r : 0;
}

int template_fields(const struct template_source *source, const struct template_env *env,
		    struct slice *ret_names, unsigned cap, struct template_error *ret_error)
{
	struct build b;
	int r;

	build_init(&b, true);
	r = compile_all(&b, source, env, ret_error);
	if (r >= 0) {
		r = (int)build_field_count(&b);
		if (r > 0 && cap > 0)
			memcpy(ret_names, b.fields.p,
			       MIN_OF((unsigned)r, cap) * sizeof(*ret_names));
	}
	build_free(&b);
	return r;
}

/* ---- previews ---------------------------------------------------------------------------- */

static int compile_preview(enum template_part part, struct slice source,
			   const struct template_env *env, struct buf *bytes,
			   struct template_error *error)
{
	struct build b;
	OWNED(compile) c = compile_new(env, &b, error);
	int r;

	build_init(&b, true);
	r = compile_part(c, part, source);
	if (r >= 0)
		r = build_op(&b, (struct op){ .kind = OP_RETURN });
	if (r >= 0)
		r = compile_end(c);
	if (r >= 0) {
		r = build_finish(&b, bytes);
		if (r < 0)
			r = compile_refuse(error, part, r, "the template is too large");
	}
	build_free(&b);
	return r;
}

static int expand_preview(const struct program *p, const struct value *values, struct buf *out)
{
	const struct value *email = value_member(values, SLICE("email"));
	struct value fields[PROGRAM_FIELDS_MAX] = { 0 };
	struct expand_input in = { .fields = fields, .n_fields = program_field_count(p) };

	for (unsigned i = 0; i < in.n_fields; i++) {
		const struct value *v = value_member(values, program_field_name(p, i));
		if (v)
			fields[i] = *v;
	}
	if (email && email->type == VALUE_STRING)
		in.recipient = email->s;
	return expand_program(p, &in, values, out);
}

int template_render(enum template_part part, struct slice source, const struct template_env *env,
		    const struct value *values, struct buf *out, struct template_error *ret_error)
{
	OWNED(program) p = NULL;
	struct buf bytes;
	int r;

	buf_init(&bytes, 0);
	r = compile_preview(part, source, env, &bytes, ret_error);
	if (r >= 0)
		r = program_load(&p, buf_data(&bytes));
	if (r >= 0) {
		r = expand_preview(p, values, out);
		if (r < 0)
			r = compile_refuse(ret_error, part, r, "the values make it too large");
	}
	p = program_free(p);
	buf_free(&bytes);
	return r < 0 ? r : 0;
}
