/* Laws: a line that is taken has a name of printable ASCII and a hash; spaces around it and a
 *       comment behind it change nothing that it says; every domain that it lists is one that it
 *       names, and so is every name below it.  As a fact it is its tenant's and nobody else's, or
 *       it is refused.  A line of counts that is taken is written again as one that says the same.
 */
#include "base/buf.h"
#include "mta/credentials/counted.h"
#include "mta/credentials/inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_domains(const struct credential *c)
{
	struct slice rest = c->domains;
	struct buf below = { 0 };

	while (rest.n) {
		struct slice d = slice_take(&rest, ',');
		buf_clear(&below);
		buf_put(&below, SLICE("a."));
		buf_put(&below, d);
		assert(d.n && credential_names_domain(c, d));
		assert(credential_names_domain(c, buf_data(&below)));
	}
	buf_free(&below);
}

static void check_fact(struct slice text, const struct credential *line)
{
	const struct wire_fact f = {
		.kind = WIRE_FACT_CREDENTIAL, .tenant = 7, .id = 9, .text = text
	};
	const char *why;
	struct credential *c = credential_of_fact(&f, &why);

	assert(!c == (line->says_tenant || line->pools.n));
	if (c)
		assert(c->fed && c->tenant == 7 && c->id == 9 && slice_eq(c->name, line->name));
	credential_unref(c);
}

static void check_counts(struct slice text)
{
	struct counted_line a, b;
	struct buf again = { 0 };
	struct slice line;

	if (memchr(text.p, '\0', text.n) || text.n > 4096 || !counted_line_take(text, &a))
		return;
	counted_line_put(&again, &a);
	line = buf_data(&again);
	line.n--;
	assert(counted_line_take(line, &b) && slice_eq(a.name, b.name) && a.id == b.id);
	assert(a.day.now == b.day.now && a.hour.begin_ms == b.hour.begin_ms);
	buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf more = { 0 };
	struct credential *a, *b;
	const char *why;

	if (size)
		check_counts(slice_of(data, size));
	if (credential_line(slice_of(data, size), &a, &why) != 1)
		return 0;
	assert(a->name.n && a->name.n <= 255 && a->hash[0] == '$');
	for (size_t i = 0; i < a->name.n; i++)
		assert(a->name.p[i] > ' ' && a->name.p[i] < 0x7f);
	assert(a->n_nets <= CREDENTIAL_NETS_MAX && a->expires_ms >= 0);
	check_domains(a);
	check_fact(slice_of(data, size), a);
	buf_put(&more, SLICE(" \t"));
	buf_put(&more, slice_of(data, size));
	buf_put(&more, SLICE(" # more"));
	if (buf_len(&more) < 8192 &&
	    !memchr(data, '\r', size)) { /* which only a line's end may have */
		assert(credential_line(buf_data(&more), &b, &why) == 1);
		assert(slice_eq(a->name, b->name) && strcmp(a->hash, b->hash) == 0);
		assert(a->tenant == b->tenant && slice_eq(a->domains, b->domains));
		assert(a->limits.hour == b->limits.hour && slice_eq(a->pools, b->pools));
		credential_unref(b);
	}
	credential_unref(a);
	buf_free(&more);
	return 0;
}
