/* Laws: what is read as a policy of MTA-STS, written out again as plainly as can be, is read as the
 * same; a pattern names a host whatever the case, and none with more or fewer labels; an id that is
 * read from a record makes a record that gives the same id; TLSA records are never read past their
 * end. */
#include "base/buf.h"
#include "mta/policy/facts.h"
#include "mta/policy/sts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned dots(struct slice s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '.';
	return n;
}

static void write_policy(const struct sts_policy *p, struct buf *out)
{
	buf_putf(out, "version: STSv1\nmode: %s\nmax_age: %u\n", sts_mode_name(p->mode),
		 p->max_age_s);
	for (unsigned i = 0; i < p->n_mx; i++)
		buf_putf(out, "mx: %s\n", p->mx[i]);
}

static void check_names(const struct sts_policy *p)
{
	for (unsigned i = 0; i < p->n_mx; i++) {
		struct slice host = slice_str(p->mx[i]);
		char deeper[STS_PATTERN_MAX + 8] = "a.";
		bool any = host.p[0] == '*';
		if (!any) {
			assert(sts_policy_names(p, host));
			continue;
		}
		host = slice_of(deeper + 2, slice_copy(deeper + 2, sizeof(deeper) - 2, host));
		deeper[2] = 'Q';
		assert(sts_policy_names(p, host));
		struct sts_policy *one = sts_policy_new(STS_ENFORCE, 1);
		assert(sts_policy_add(one, slice_str(p->mx[i])) == 0);
		assert(sts_policy_names(one, host) && dots(host) == dots(slice_str(p->mx[i])));
		assert(!sts_policy_names(one, slice_of(deeper, host.n + 2)));
		assert(!sts_policy_names(one, slice_skip(host, 2)));
		(void)sts_policy_unref(one);
	}
}

static void check_policy(struct slice in)
{
	struct sts_policy *p, *again;
	struct buf text;

	if (sts_policy_parse(in, &p) < 0)
		return;
	buf_init(&text, 0);
	write_policy(p, &text);
	int r = sts_policy_parse(buf_data(&text), &again);
	assert(r == 0);
	(void)r;
	assert(p->mode == again->mode && p->max_age_s == again->max_age_s &&
	       p->n_mx == again->n_mx);
	for (unsigned i = 0; i < p->n_mx; i++)
		assert(strcmp(p->mx[i], again->mx[i]) == 0);
	check_names(p);
	buf_free(&text);
	(void)sts_policy_unref(p);
	(void)sts_policy_unref(again);
}

static void check_record(struct slice in)
{
	char id[STS_ID_MAX], same[STS_ID_MAX];
	struct buf text;

	if (sts_record_parse(in, id) < 0)
		return;
	buf_init(&text, 0);
	buf_putf(&text, "v=STSv1; id=%s;", id);
	int r = sts_record_parse(buf_data(&text), same);
	assert(r == 0 && strcmp(id, same) == 0);
	(void)r;
	buf_free(&text);
}

static void check_tlsa(struct slice in)
{
	struct policy_host h = { 0 };
	const struct dns_record records[2] = { { .data = in }, { .data = in } };
	const struct dns_answer a = { .n = 2, .records = records };

	policy_host_take(&h, &a, SLICE("mx.test"));
	assert((h.dane == POLICY_DANE_USABLE) == (h.n_records == 2) && h.n_records % 2 == 0);
	for (unsigned i = 0; i < h.n_records; i++)
		assert(memcmp(h.records[i].data, in.p + 3, in.n - 3) == 0);
	free(h.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);

	check_policy(in);
	check_record(in);
	check_tlsa(in);
	return 0;
}
