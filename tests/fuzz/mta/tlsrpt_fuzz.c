/* Laws: a record that is read, written out as plainly as can be, is read as the same, and nothing
 * in it has a control, a blank or a bracket; a file of counts, however spoilt, when written again
 * is read without loss as what was written. */
#include "mta/tlsrpt/results_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_record(struct slice in)
{
	char shown[REPORTING_SHOWN_MAX];
	struct reporting r, again;
	struct buf text = { 0 };

	if (reporting_parse(in, &r) < 0)
		return;
	buf_put(&text, SLICE("v=TLSRPTv1; rua="));
	for (unsigned i = 0; i < r.n; i++) {
		(void)reporting_show(&r.uris[i], shown);
		for (const char *p = shown; *p; p++) {
			assert(*p > ' ' && *p < 0x7f && *p != '<' && *p != '>');
			if (*p == '%' || *p == ',' || *p == ';' || *p == '?' || *p == '#')
				buf_putf(&text, r.uris[i].https ? "%c" : "%%%02x", *p);
			else
				buf_put(&text, slice_of(p, 1));
		}
		buf_put(&text, SLICE(","));
	}
	int e = reporting_parse(buf_data(&text), &again);
	assert(e == 0 && again.n == r.n);
	(void)e;
	for (unsigned i = 0; i < r.n; i++)
		assert(strcmp(r.uris[i].text, again.uris[i].text) == 0 &&
		       strcmp(r.uris[i].host, again.uris[i].host) == 0 &&
		       r.uris[i].port == again.uris[i].port);
	buf_free(&text);
}

static int no_file(void *self, int dirfd, const char *name, int flags, unsigned mode)
{
	(void)self, (void)dirfd, (void)name, (void)flags, (void)mode;
	return -2; /* ENOENT */
}

static void check_file(struct slice in)
{
	const struct disk none = { .open = no_file };
	struct results *r = results_new(&none, -1), *again = results_new(&none, -1);
	struct buf text = { 0 }, same = { 0 };

	results_read(r, in);
	results_write(r, &text);
	results_read(again, buf_data(&text));
	assert(!results_lost(again));
	results_write(again, &same);
	assert(slice_eq(buf_data(&text), buf_data(&same)));
	buf_free(&text);
	buf_free(&same);
	(void)results_free(r);
	(void)results_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);

	check_record(in);
	check_file(in);
	return 0;
}
