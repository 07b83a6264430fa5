/* mta/smtp/tls_word.c - the words themselves. */
#include "mta/smtp/tls_word.h"

const char *const tls_words[TLS_WORDS + 1] = {
	[TLS_WORD_NEVER] = "never",     [TLS_WORD_MAY] = "may",
	[TLS_WORD_ENCRYPT] = "encrypt", [TLS_WORD_VERIFY] = "verify",
	[TLS_WORD_DANE] = "dane",       [TLS_WORD_DANE_ONLY] = "dane-only",
	[TLS_WORD_MTA_STS] = "mta-sts", [TLS_WORD_OPPORTUNISTIC] = "opportunistic",
};

int tls_word_parse(struct slice s, enum tls_word *ret, bool *ret_old)
{
	unsigned i = 0;

	*ret_old = slice_eq(s, SLICE("must"));
	if (*ret_old) {
		*ret = TLS_WORD_ENCRYPT;
		return 0;
	}
	while (i < TLS_WORDS && !slice_eq(s, slice_str(tls_words[i])))
		i++;
	if (i == TLS_WORDS)
		return E_SYNTAX;
	*ret = (enum tls_word)i;
	return 0;
}
