/* tests/fuzz/control/percent_fuzz.c - escapes of paths and queries.
 * Laws: text that is escaped and decoded is the same text again; what is decoded is never longer,
 *       is UTF-8, and is the only text that the escaped one is equal to; one byte of room less is
 *       refused. */
#include <stdio.h>

#include "base/encode.h"
#include "control/http/percent.h"

static void try_decode(struct slice in)
{
	char *out = must_alloc(in.n + 1);
	struct slice text;

	if (percent_decode(in, out, in.n, &text) == 0) {
		assert(text.n <= in.n && utf8_valid(text) && percent_equal(in, text));
		assert(!text.n || !percent_equal(in, slice_skip(text, 1)));
		assert(!text.n || percent_decode(in, out, text.n - 1, &text) == E_LIMIT);
	}
	free(out);
}

static void try_round(struct slice in)
{
	char *escaped = must_alloc(3 * in.n + 1), *out = must_alloc(in.n + 1);
	struct slice text;

	for (size_t i = 0; i < in.n; i++)
		(void)snprintf(escaped + 3 * i, 4, "%%%02x", (unsigned char)in.p[i]);
	int r = percent_decode(slice_of(escaped, 3 * in.n), out, in.n, &text);
	bool fine = utf8_valid(in) && !(in.n && memchr(in.p, '\0', in.n));
	assert((r == 0) == fine && (r < 0 || slice_eq(text, in)));
	free(escaped);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);

	try_decode(in);
	try_round(in);
	return 0;
}
