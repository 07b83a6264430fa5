/* Laws: what is said of a request does not change by what comes behind it: wherever the input is
 * cut, more is asked for, or the answer is that of the whole.  A head that is taken has no control
 * in its path and lies within the bound. */
#include "mta/metrics/web.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, MIN_OF(size, (size_t)(WEB_HEAD_MAX + 64)));
	struct web_request whole, part;
	int r = web_parse(in, &whole), last = 0;
	size_t step = in.n > 600 ? in.n / 200 : 1;

	for (size_t n = 0; n <= in.n; n += step) {
		int now = web_parse(slice_of(in.p, n), &part);
		must(now == 0 || now == r);
		must(!last || now == last);
		last = now;
	}
	must(r == 0 || r == -400 || r == -431 || r == -505 || r > 0);
	if (r <= 0)
		return 0;
	must(r <= WEB_HEAD_MAX && (size_t)r <= in.n && in.p[r - 1] == '\n');
	must(whole.path.n && *whole.path.p == '/');
	for (size_t i = 0; i < whole.path.n; i++)
		must(whole.path.p[i] > ' ' || whole.path.p[i] < 0);
	return 0;
}
