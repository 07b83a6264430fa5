/* mta/door/tls_record.c - which TLSA records can be used at all; the same in simulation. */
#include "mta/door/tls.h"

enum { SELECT_CERT = 0, SELECT_KEY = 1, MATCH_FULL = 0, MATCH_SHA256 = 1, MATCH_SHA512 = 2 };

bool tls_record_usable(const struct tls_record *r)
{
	if ((r->usage != TLS_DANE_TA && r->usage != TLS_DANE_EE) ||
	    (r->selector != SELECT_CERT && r->selector != SELECT_KEY))
		return false;
	switch (r->matching) {
	case MATCH_FULL:
		return r->data_n > 0 && r->data_n <= TLS_RECORD_BYTES_MAX;
	case MATCH_SHA256:
		return r->data_n == 32;
	case MATCH_SHA512:
		return r->data_n == 64;
	default:
		return false;
	}
}
