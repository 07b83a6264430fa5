/* The JSON of a report about a domain; the first byte says which kind.  Laws: what is read is
 * bounded and fit for the database whatever the JSON holds: columns of one table are equally long,
 * arrays are UTF-8 without NUL, times are within their bounds; reading again gives the same. */
#include "base/encode.h"
#include "control/reports/read.h"

static void check_table(struct db_column *c, unsigned n, unsigned most)
{
	for (unsigned i = 0; i < n; i++) {
		struct slice text = slice_str(db_column_array(&c[i]));

		assert(c[i].n == c[0].n && c[i].n <= most);
		assert(utf8_valid(text));
		assert(text.n == buf_len(&c[i].text) + (c[i].n ? 1 : 2)); /* no NUL within */
	}
}

static void same_table(struct db_column *a, struct db_column *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		assert(strcmp(db_column_array(&a[i]), db_column_array(&b[i])) == 0);
}

static void check(struct domain_report *r)
{
	const struct slice texts[] = { r->org, r->email, r->id, r->domain };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert(texts[i].n <= REPORT_TEXT_MAX);
	assert(memchr(r->policy, '\0', sizeof(r->policy)));
	assert(r->begin_ms >= 0 && r->end_ms >= 0 && r->begin_ms <= 4102444800000 &&
	       r->end_ms <= 4102444800000);
	check_table(r->rows, ROW_COLUMNS, REPORT_ROWS_MAX);
	check_table(r->auths, AUTH_COLUMNS, REPORT_AUTHS_MAX);
	check_table(r->policies, POLICY_COLUMNS, REPORT_ROWS_MAX);
	check_table(r->failures, FAILURE_COLUMNS, REPORT_ROWS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice json = slice_of(data, size);
	struct domain_report r, again;
	bool tls = size && data[0] == 't';

	if (!size)
		return 0;
	json = slice_skip(json, 1);
	if (domain_report_read(json, tls, &r) < 0)
		return 0;
	check(&r);
	if (domain_report_read(json, tls, &again) < 0)
		abort();
	assert(memcmp(r.identity, again.identity, REPORT_IDENTITY) == 0);
	same_table(r.rows, again.rows, ROW_COLUMNS);
	same_table(r.auths, again.auths, AUTH_COLUMNS);
	same_table(r.failures, again.failures, FAILURE_COLUMNS);
	domain_report_free(&again);
	domain_report_free(&r);
	return 0;
}
