/* Laws: a moment that was read, written and read again is the same; metadata that is good begins
 *       with "{", ends with "}", is UTF-8, and is good with spaces around it; as a member's value
 *       it is not, because an object in it is none of the plain values.
 *       Every text goes through xtext and back, and xtext that is read and written again is no
 *       longer. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/encode.h"
#include "mta/submit/metadata.h"
#include "mta/submit/when.h"
#include "schema/wire/dsn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_metadata(struct slice s)
{
	struct slice bare = slice_trim_set(s, " \t\r\n");
	struct buf more = { 0 };

	assert(utf8_valid(s) && bare.p[0] == '{' && bare.p[bare.n - 1] == '}');
	buf_put(&more, SLICE("\t"));
	buf_put(&more, s);
	buf_put(&more, SLICE("\n"));
	assert(metadata_is_good(buf_data(&more)));
	buf_clear(&more);
	buf_put(&more, SLICE("{\"a\":"));
	buf_put(&more, s);
	buf_put(&more, SLICE("}"));
	assert(!metadata_is_good(buf_data(&more)));
	buf_free(&more);
}

static void check_xtext(struct slice in)
{
	struct buf text = { 0 }, coded = { 0 }, again = { 0 };

	wire_xtext_encode(in, &coded);
	assert(wire_xtext_decode(buf_data(&coded), &again) == 0);
	assert(slice_eq(buf_data(&again), in));
	if (wire_xtext_decode(in, &text) == 0) {
		buf_clear(&coded);
		wire_xtext_encode(buf_data(&text), &coded);
		assert(buf_len(&coded) <= in.n);
	}
	buf_free(&text);
	buf_free(&coded);
	buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);
	char text[40];
	int64_t a, b;

	if (when_parse(in, &a) == 0 && a >= 0 && a < 253402300800000) {
		assert(when_parse(slice_str(clock_rfc3339(a, text)), &b) == 0);
		assert(a == b);
	}
	check_xtext(in);
	if (metadata_is_good(in))
		check_metadata(in);
	return 0;
}
