/* tests/fuzz/control/etag_fuzz.c - lists of entity tags.
 * Laws: what matches strongly matches weakly; a list goes on matching whatever is added behind it;
 *       and with our tag in front every list matches. */
#include "base/buf.h"
#include "control/http/etag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_longer(struct slice list, struct slice more, int64_t version, bool weak)
{
	struct buf text;

	buf_init(&text, 0);
	buf_put(&text, list);
	buf_put(&text, SLICE(","));
	buf_put(&text, more);
	if (!etag_matches(buf_data(&text), version, weak))
		abort();
	buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice field = slice_of(data, size);
	bool star = memchr(size ? data : (const uint8_t *)"", '*', size) != NULL;

	if (etag_matches(field, 3, false) && !etag_matches(field, 3, true))
		abort();
	for (int weak = 0; weak < 2; weak++) {
		if (etag_matches(field, 3, weak) && !star)
			check_longer(field, field, 3, weak);
		check_longer(SLICE("\"3\""), field, 3, weak);
	}
	return 0;
}
