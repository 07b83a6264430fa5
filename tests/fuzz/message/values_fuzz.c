/* Law: the header of a message, its parts and the shape of its lines do not depend on the values.
 */
#include "message/compose.h"
#include "message/header.h"
#include "message/program.h"

static struct program *campaign(void)
{
	const struct compose_in in = {
		.from = SLICE("A <a@b.example>"),
		.source = { SLICE("News {{a}}"),
			    SLICE("<p title=\"{{a}}\">{{b}}</p> <a href='{{c}}'>x</a> "
				  "<b style='{{b}}'>{{{c}}}</b>"),
			    SLICE("Hi {{a}}\n{{b}} and {{c}}{{a}}\n{{email}}") },
		.list_unsubscribe = SLICE("https://u.example/{{c}}"),
		.one_click = true,
		.env = { .any_field = true },
	};
	static struct program *p;
	static struct buf bytes; /* for the life of the process, as the program is */
	struct compose_error e;

	if (!p && compose_campaign(&in, &bytes, &e) == 0 && program_load(&p, buf_data(&bytes)) < 0)
		abort();
	return p;
}

static unsigned fields_of(struct slice m)
{
	struct header_field f;
	size_t pos = 0;
	unsigned n = 0;
	int r;

	while ((r = header_next(m, &pos, &f)) > 0)
		n++;
	assert(r == 0);
	return n;
}

static void check_lines(struct slice m)
{
	size_t start = 0;

	for (size_t i = 0; i < m.n; i++) {
		assert(m.p[i] > 0 && (m.p[i] != '\r' || (i + 1 < m.n && m.p[i + 1] == '\n')));
		if (m.p[i] != '\n')
			continue;
		assert(i > start && m.p[i - 1] == '\r' && i - 1 - start <= 998);
		start = i + 1;
	}
	assert(start == m.n);
}

static unsigned boundaries(struct slice m)
{
	unsigned n = 0;

	for (const char *at = m.p; (at = memmem(at, m.n - (size_t)(at - m.p), "\r\n--=_", 6)); at++)
		n++;
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct program *p = campaign();
	size_t third = size / 3;
	const struct value fields[] = {
		{ .type = VALUE_STRING, .s = slice_of(data, third) },
		{ .type = VALUE_STRING, .s = slice_of(data + third, third) },
		{ .type = VALUE_STRING, .s = slice_of(data + 2 * third, size - 2 * third) },
	};
	const struct expand_input in = { fields, 3, fields[2].s, fields[0].s, 0 };
	unsigned n;
	struct buf out;

	buf_init(&out, 0);
	assert(program_expand(p, &in, &out) == 0);
	check_lines(buf_data(&out));
	n = fields_of(buf_data(&out));
	assert(n == 9 || n == 7); /* 7: the unsubscribe URL came out too long */
	assert(boundaries(buf_data(&out)) == 3);
	buf_free(&out);
	return 0;
}
