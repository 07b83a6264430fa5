/* Law: a sample is one line, and a reader of the format 0.0.4 gets back the label values that went
 * in, whatever is in them (what is not UTF-8 as U+FFFD). */
#include "base/encode.h"
#include "mta/metrics/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void eat(struct slice *s, const char *what)
{
	must(slice_strip(s, slice_str(what)));
}

static void eat_value(struct slice *s, struct buf *ret)
{
	while (s->n && *s->p != '"') {
		char c = *s->p;
		must(c != '\n');
		if (c == '\\') {
			*s = slice_skip(*s, 1);
			must(s->n && strchr("\\\"n", *s->p));
			c = *s->p == 'n' ? '\n' : *s->p;
		}
		buf_put(ret, slice_of(&c, 1));
		*s = slice_skip(*s, 1);
	}
	eat(s, "\"");
}

static void expect(struct buf *out, struct slice s)
{
	while (s.n) {
		size_t n = utf8_length(s);
		buf_put(out, n ? slice_of(s.p, n) : SLICE("\xef\xbf\xbd"));
		s = slice_skip(s, n ? n : 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t half = size / 2;
	struct text_label labels[] = { { "a", slice_of(data, half) },
				       { "b", slice_of(data + half, size - half) },
				       { NULL, { 0 } } };
	struct buf out = { 0 }, got = { 0 }, want = { 0 };
	struct text t = { .out = &out };
	struct slice rest;

	if (!size)
		return 0;
	text_sample(&t, "x_total", labels, 12);
	rest = buf_data(&out);
	eat(&rest, "postern_x_total{a=\"");
	eat_value(&rest, &got);
	eat(&rest, ",b=\"");
	eat_value(&rest, &got);
	eat(&rest, "} 12\n");
	must(!rest.n && utf8_valid(buf_data(&out)));
	expect(&want, labels[0].value);
	expect(&want, labels[1].value);
	must(slice_eq(buf_data(&got), buf_data(&want)));
	buf_free(&out);
	buf_free(&got);
	buf_free(&want);
	return 0;
}
