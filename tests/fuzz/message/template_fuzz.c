/* Law: a template that compiles yields as many tags, quotes and line ends whatever the values are,
 * as long as it has no {{{raw}}} slots; and it never crashes, loops or overflows its bounds. */
#include <stdio.h>

#include "message/template.h"

static const struct template_env env = { .any_field = true };

static int render(enum template_part part, struct slice source, struct slice value, struct buf *out)
{
	static const char *const names[] = { "a", "b", "c", "email" };
	struct value_member members[ARRAY_LEN(names)];
	const struct value map = { .type = VALUE_MAP,
				   .count = ARRAY_LEN(names),
				   .members = members };
	struct template_error e;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		members[i] = (struct value_member){ slice_str(names[i]),
						    { .type = VALUE_STRING, .s = value } };
	buf_init(out, 1 << 22);
	return template_render(part, source, &env, &map, out, &e);
}

static size_t marks(struct slice s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '<' || s.p[i] == '>' || s.p[i] == '"' || s.p[i] == '\'';
	return n;
}

static bool has(struct slice s, const char *what)
{
	return s.n && memmem(s.p, s.n, what, strlen(what));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice source = slice_of(data + 1, size - 1);
	enum template_part part;
	struct buf plain, hostile;
	int a, b;

	if (size < 1)
		return 0;
	part = (enum template_part)(data[0] % (TEMPLATE_PLAIN_HTML + 1));
	a = render(part, source, SLICE("x"), &plain);
	b = render(part, source, SLICE("</p>\"'--><script>\r\n"), &hostile);
	assert(a <= 0 && b <= 0);
	assert((a == E_SYNTAX) ==
	       (b == E_SYNTAX)); /* what is wrong with a template is no matter of values */
	if (a == 0 && b == 0 && part == TEMPLATE_HTML && !has(source, "{{=") &&
	    !has(source, "{{{") && !has(source, "{{&"))
		assert(marks(buf_data(&plain)) == marks(buf_data(&hostile)));
	buf_free(&plain);
	buf_free(&hostile);
	return 0;
}
