/* control/auth/totp.h - codes that an app makes from a shared secret and the time (RFC 6238: SHA-1,
 * six digits, 30 seconds, as every app knows them).
 * Threads: any.
 * Limits:  a clock that is wrong by more than a step makes no code that counts. */
#pragma once
#include "base/buf.h"

enum { TOTP_SECRET_LEN = 20, TOTP_DIGITS = 6, TOTP_STEP_S = 30, TOTP_BASE32_MAX = 33 };

void totp_secret(uint8_t secret[TOTP_SECRET_LEN]); /* a new one */
/* As people type it when they cannot scan. */
int totp_base32(const uint8_t secret[TOTP_SECRET_LEN], char ret[TOTP_BASE32_MAX]) MUST_CHECK;
/* otpauth://totp/..., which apps read from a QR code. */
int totp_uri(const uint8_t secret[TOTP_SECRET_LEN], struct slice service, struct slice account,
	     struct buf *out) MUST_CHECK;
/* The step that a code is of: that of now, the one before or the one after; 0 when it is of none,
 * or of one up to `last`, which counted already.  Takes the same time for every code. */
int64_t totp_step(const uint8_t secret[TOTP_SECRET_LEN], int64_t now_ms, int64_t last,
		  struct slice code);
