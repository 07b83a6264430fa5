/* mta/metrics/text.c - samples as lines. */
#include "mta/metrics/text.h"

#include <inttypes.h>

#include "base/encode.h"

void text_head(struct text *t, const char *name, enum text_type type, const char *help)
{
	static const char *const types[] = { "counter", "gauge", "histogram" };

	if (t->last && strcmp(t->last, name) == 0)
		return;
	t->last = name;
	buf_putf(t->out, "# HELP postern_%s %s\n# TYPE postern_%s %s\n", name, help, name,
		 types[type]);
}

static void put_label_value(struct buf *out, struct slice s)
{
	while (s.n) {
		size_t n = utf8_length(s);

		if (n == 0)
			buf_put(out, SLICE("\xef\xbf\xbd"));
		else if (*s.p == '\n')
			buf_put(out, SLICE("\\n"));
		else if (*s.p == '"' || *s.p == '\\')
			buf_putf(out, "\\%c", *s.p);
		else
			buf_put(out, slice_of(s.p, n));
		s = slice_skip(s, n ? n : 1);
	}
}

/* Counts are whole; others have as many digits as they need. */
static void put_number(struct buf *out, double v)
{
	if (v >= 0 && v < 9e15 && v == (double)(uint64_t)v)
		buf_putf(out, " %" PRIu64 "\n", (uint64_t)v);
	else
		buf_putf(out, " %.9g\n", v);
}

void text_sample(struct text *t, const char *name, const struct text_label *labels, double value)
{
	if (t->heads_only)
		return;
	buf_putf(t->out, "postern_%s", name);
	for (unsigned i = 0; i < TEXT_LABELS_MAX && labels[i].name; i++) {
		buf_putf(t->out, "%c%s=\"", i ? ',' : '{', labels[i].name);
		put_label_value(t->out, labels[i].value);
		buf_put(t->out, SLICE("\""));
	}
	buf_put(t->out, labels[0].name ? SLICE("}") : SLICE(""));
	put_number(t->out, value);
}

void text_value(struct text *t, const char *name, const char *pair, double value)
{
	if (t->heads_only)
		return;
	buf_putf(t->out, pair ? "postern_%s{%s}" : "postern_%s", name, pair);
	put_number(t->out, value);
}

void text_histogram(struct text *t, const char *name, const char *help,
		    const struct histogram_scale *s, const struct histogram *h)
{
	uint64_t sum = 0;

	text_head(t, name, TEXT_HISTOGRAM, help);
	if (t->heads_only)
		return;
	for (unsigned i = 0; i <= s->n; i++) {
		sum += atomic_load_explicit(&h->at[i], memory_order_relaxed);
		if (i < s->n)
			buf_putf(t->out, "postern_%s_bucket{le=\"%.9g\"} %" PRIu64 "\n", name,
				 (double)s->most[i] / (double)s->per_second, sum);
	}
	buf_putf(t->out, "postern_%s_bucket{le=\"+Inf\"} %" PRIu64 "\npostern_%s_sum", name, sum,
		 name);
	put_number(t->out, (double)atomic_load_explicit(&h->sum, memory_order_relaxed) /
			       (double)s->per_second);
	buf_putf(t->out, "postern_%s_count %" PRIu64 "\n", name, sum);
}
