/* Messages to sign.  Law: the hot path and libopendkim have the same outcome and write the same
 * bytes for any message at all. */
#include "dkim/sign.h"

/* RFC 8032 section 7.1, test 1: everybody's key. */
static const char pem[] = "-----BEGIN PRIVATE KEY-----\n"
			  "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
			  "-----END PRIVATE KEY-----\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sign_key *key;
	struct slice message = slice_of(data, size);
	struct buf hot, judge;
	int r;

	if (!key && sign_key_load(&key, slice_str(pem), SLICE("shop.example"), SLICE("s")) < 0)
		abort();
	buf_init(&hot, 0);
	buf_init(&judge, 0);
	r = sign_message(&key, 1, message, 1795192358, &hot);
	assert(sign_judge(&key, 1, message, 1795192358, &judge) == r);
	assert(slice_eq(buf_data(&hot), buf_data(&judge)));
	assert((r == 0) == (buf_len(&hot) > 0));
	buf_free(&hot);
	buf_free(&judge);
	return 0;
}
