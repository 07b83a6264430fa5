/* mta/smtp/tls_word.h - the words for how mail may travel, in options and in shapes.
 * Owns:   nothing.
 * Fails:  E_SYNTAX for a word that is none. */
#pragma once
#include "base/base.h"

enum tls_word {
	TLS_WORD_NEVER,
	TLS_WORD_MAY,     /* TLS when the host offers it */
	TLS_WORD_ENCRYPT, /* TLS, any certificate */
	TLS_WORD_VERIFY,  /* TLS, a certificate that is valid for the name of the MX host */
	TLS_WORD_DANE,    /* DANE where the host has TLSA records, else as "may" */
	TLS_WORD_DANE_ONLY,
	TLS_WORD_MTA_STS,       /* MTA-STS where the domain has a policy, else as "may" */
	TLS_WORD_OPPORTUNISTIC, /* DANE, else MTA-STS, else as "may" */
	TLS_WORDS
};
extern const char *const tls_words[TLS_WORDS + 1]; /* NULL at the end */
/* "must" is the older word for "encrypt"; *ret_old says that it was used. */
int tls_word_parse(struct slice s, enum tls_word *ret, bool *ret_old) MUST_CHECK;
