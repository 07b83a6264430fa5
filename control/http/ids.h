/* control/http/ids.h - how the numbers of rows look outside: "cmp_" and 13 letters of base32.
 * A 64-bit number goes through a permutation keyed with the instance's secret and the kind.  So ids
 * do not tell how many there are, and one kind's id is never another's.  Any 13 letters with the
 * right prefix that decode canonically stand for some number, whose row is then not found.
 * Threads: call ids_init() once before all others; the rest may be called from any thread. */
#pragma once
#include "base/base.h"

enum id_kind {
	ID_ORG,
	ID_USER,
	ID_SESSION,
	ID_KEY,
	ID_DOMAIN,
	ID_CONTACT,
	ID_FIELD,
	ID_LIST,
	ID_TAG,
	ID_IMPORT,
	ID_TEMPLATE,
	ID_CAMPAIGN,
	ID_MESSAGE,
	ID_SUPPRESSION,
	ID_AUDIT,
	ID_TOKEN,
	ID_SMTP_CREDENTIAL,
	ID_DMARC,
	ID_TLS,
	ID_SMTP_ROUTE,
	ID_PROVIDER,
	ID_IDENTITY,
	ID_RETURN,
	ID_KINDS,
};
enum { ID_LETTERS = 13, ID_OUT_MAX = 24, IDS_KEY_LEN = 16 };

void ids_init(const uint8_t key[IDS_KEY_LEN]);
char *ids_out(enum id_kind kind, uint64_t number, char *buf); /* buf holds ID_OUT_MAX */
int ids_in(enum id_kind kind, struct slice text, uint64_t *ret) MUST_CHECK; /* E_UNKNOWN */
/* n random letters of the same alphabet, 5 bits each, and a NUL. */
void ids_random(char *buf, size_t n);
/* The 13 letters alone, for ids inside credentials. */
char *ids_letters(enum id_kind kind, uint64_t number, char *buf);
int ids_from_letters(enum id_kind kind, struct slice letters, uint64_t *ret) MUST_CHECK;
