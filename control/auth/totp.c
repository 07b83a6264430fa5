/* control/auth/totp.c - TOTP by liboath. */
#include "control/auth/totp.h"

#include <liboath/oath.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/encode.h"
#include "base/random.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void begin(void)
{
	if (oath_init() != OATH_OK)
		abort(); /* its own hash functions do not work */
}

void totp_secret(uint8_t secret[TOTP_SECRET_LEN])
{
	random_bytes(secret, TOTP_SECRET_LEN);
}

int totp_base32(const uint8_t secret[TOTP_SECRET_LEN], char ret[TOTP_BASE32_MAX])
{
	char *text = NULL;
	size_t n = 0;
	bool fits;

	(void)pthread_once(&once, begin);
	if (oath_base32_encode((const char *)secret, TOTP_SECRET_LEN, &text, &n) != OATH_OK ||
	    !text)
		return -ENOMEM;
	fits = n < TOTP_BASE32_MAX;
	if (fits)
		slice_copy(ret, TOTP_BASE32_MAX, slice_of(text, n));
	explicit_bzero(text, n);
	free(text);
	return fits ? 0 : E_LIMIT;
}

static void put_escaped(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char hex[4] = "%";
		char c = s.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    c == '-' || c == '.' || c == '_' || c == '~') {
			buf_put(out, slice_of(&c, 1));
			continue;
		}
		hex_put_upper(hex + 1, (unsigned char)c);
		buf_put(out, slice_of(hex, 3));
	}
}

int totp_uri(const uint8_t secret[TOTP_SECRET_LEN], struct slice service, struct slice account,
	     struct buf *out)
{
	char base32[TOTP_BASE32_MAX];
	int r = totp_base32(secret, base32);

	if (r < 0)
		return r;
	buf_put(out, SLICE("otpauth://totp/"));
	put_escaped(out, service);
	buf_put(out, SLICE(":"));
	put_escaped(out, account);
	buf_putf(out, "?secret=%s&issuer=", base32);
	put_escaped(out, service);
	buf_putf(out, "&algorithm=SHA1&digits=%d&period=%d", TOTP_DIGITS, TOTP_STEP_S);
	explicit_bzero(base32, sizeof(base32));
	return 0;
}

/* Is it the code of this step? */
static bool is_code(const uint8_t secret[TOTP_SECRET_LEN], int64_t step, struct slice code)
{
	char want[TOTP_DIGITS + 1] = "";
	bool right =
	    oath_totp_generate((const char *)secret, TOTP_SECRET_LEN, (time_t)(step * TOTP_STEP_S),
			       TOTP_STEP_S, 0, TOTP_DIGITS, want) == OATH_OK;

	right &= slice_eq_secret(code, slice_of(want, TOTP_DIGITS));
	explicit_bzero(want, sizeof(want));
	return right;
}

int64_t totp_step(const uint8_t secret[TOTP_SECRET_LEN], int64_t now_ms, int64_t last,
		  struct slice code)
{
	int64_t now = now_ms / 1000 / TOTP_STEP_S, found = 0;

	(void)pthread_once(&once, begin);
	for (int64_t step = now - 1; step <= now + 1; step++)
		found = is_code(secret, step, code) && step > last ? step : found;
	return found;
}
