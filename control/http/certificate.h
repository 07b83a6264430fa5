/* control/http/certificate.h - the certificate that a client has shown and that was verified. */
#pragma once
#include "base/base.h"

enum { CERTIFICATE_HASH_LEN = 32, CERTIFICATE_SUBJECT_MAX = 400 };
struct http_certificate {
	uint8_t sha256[CERTIFICATE_HASH_LEN];  /* of the whole certificate, DER */
	char subject[CERTIFICATE_SUBJECT_MAX]; /* RFC 4514; "" when it is longer */
};
