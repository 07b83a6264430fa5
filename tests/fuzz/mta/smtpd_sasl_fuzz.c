/* Laws: what PLAIN gives, put together again, gives the same; a name has 1 to SASL_NAME_MAX bytes
 *       and no control byte, a password 1 to SASL_PASSWORD_MAX and no NUL; so have LOGIN's. */
#include "base/encode.h"
#include "mta/smtpd/sasl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(struct slice s)
{
	assert(s.n && s.n <= SASL_NAME_MAX);
	for (size_t i = 0; i < s.n; i++)
		assert((unsigned char)s.p[i] >= ' ' && s.p[i] != 0x7f);
}

static void check_password(struct slice s)
{
	assert(s.n && s.n <= SASL_PASSWORD_MAX && !memchr(s.p, '\0', s.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);
	struct buf message = { 0 }, text = { 0 };
	struct sasl_answer a, b;

	if (sasl_plain(in, &a) == 0) {
		check_name(a.name);
		check_password(a.password);
		buf_put(&message, SLICE("\0"));
		buf_put(&message, a.name);
		buf_put(&message, SLICE("\0"));
		buf_put(&message, a.password);
		assert(base64_encode(&text, buf_data(&message)) == 0);
		assert(sasl_plain(buf_data(&text), &b) == 0);
		assert(slice_eq(a.name, b.name) && slice_eq(a.password, b.password));
	}
	if (sasl_login_name(in, &a) == 0)
		check_name(a.name);
	if (sasl_login_password(in, &a) == 0)
		check_password(a.password);
	buf_free(&message);
	buf_free(&text);
	return 0;
}
