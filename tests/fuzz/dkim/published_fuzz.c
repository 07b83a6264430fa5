/* DNS TXT values.  Laws: one more ';' at the end changes nothing; white space before and after the
 * whole changes nothing; what is right for one key is not for another. */
#include "dkim/sign.h"

enum { VALUE_MAX = 8000 }; /* so that additions stay under the limit */

static struct sign_key *make_key(enum sign_type type)
{
	struct sign_key *key = NULL;
	struct buf pem, txt;

	buf_init(&pem, 0);
	buf_init(&txt, 0);
	if (sign_key_generate(type, &pem, &txt) < 0 ||
	    sign_key_load(&key, buf_data(&pem), SLICE("shop.example"), SLICE("s")) < 0)
		abort();
	buf_free(&pem);
	buf_free(&txt);
	return key;
}

static int published(const struct sign_key *key, const char *before, struct slice txt,
		     const char *after)
{
	struct buf b;
	int r;

	buf_init(&b, 0);
	buf_put(&b, slice_str(before));
	buf_put(&b, txt);
	buf_put(&b, slice_str(after));
	r = sign_key_published(key, buf_data(&b));
	buf_free(&b);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sign_key *key, *other;
	struct slice txt = slice_of(data, size);
	int r;

	if (!key) {
		key = make_key(SIGN_ED25519);
		other = make_key(SIGN_ED25519);
	}
	if (size > VALUE_MAX)
		return 0;
	r = published(key, "", txt, "");
	assert(published(key, " \t", txt, "\r\n ") == r);
	assert(r != 0 || published(key, "", txt, ";") == 0 || txt.p[txt.n - 1] == ';');
	assert(r != 0 || published(other, "", txt, "") == E_CONFLICT);
	return 0;
}
