/* control/auth/token.c - credentials as text, and their hashes. */
#include <stdio.h>

#include "base/encode.h"
#include "base/random.h"
#include "control/app/secrets.h"
#include "control/auth/token.h"

static const struct {
	enum id_kind kind;
	bool test;
	const char *prefix;
} prefixes[] = {
	{ ID_SESSION, false, "ses_" },
	{ ID_KEY, false, "mk_live_" },
	{ ID_KEY, true, "mk_test_" },
	{ ID_TOKEN, false, "tok_" },
};

int token_parse(struct slice text, struct token *ret)
{
	struct token t = { 0 };
	uint64_t org;
	size_t i = 0;

	while (i < ARRAY_LEN(prefixes) && !slice_strip(&text, slice_str(prefixes[i].prefix)))
		i++;
	if (i == ARRAY_LEN(prefixes) || text.n != 2 * ID_LETTERS + 1 + TOKEN_SECRET_LEN ||
	    text.p[2 * ID_LETTERS] != '_')
		return E_SYNTAX;
	t.kind = prefixes[i].kind;
	t.test = prefixes[i].test;
	t.secret = slice_skip(text, 2 * ID_LETTERS + 1);
	if (ids_from_letters(ID_ORG, slice_of(text.p, ID_LETTERS), &org) < 0 || org == 0 ||
	    org > INT32_MAX ||
	    ids_from_letters(t.kind, slice_of(text.p + ID_LETTERS, ID_LETTERS), &t.id) < 0 ||
	    t.id > INT64_MAX)
		return E_SYNTAX;
	t.org = (uint32_t)org;
	*ret = t;
	return 0;
}

void token_secret(char secret[TOKEN_SECRET_LEN + 1])
{
	struct buf out = { 0 };
	uint8_t raw[32];

	random_bytes(raw, sizeof(raw));
	if (base64url_encode(&out, slice_of((char *)raw, sizeof(raw))) < 0)
		abort(); /* 43 bytes of memory */
	slice_copy(secret, TOKEN_SECRET_LEN + 1, buf_data(&out));
	memset(out.p, 0, out.cap);
	buf_free(&out);
}

static char *format(enum id_kind kind, bool test, uint32_t org, uint64_t id, const char *secret,
		    char *buf)
{
	char org_text[ID_LETTERS + 1], id_text[ID_LETTERS + 1];
	const char *prefix = "";

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (prefixes[i].kind == kind && prefixes[i].test == test)
			prefix = prefixes[i].prefix;
	(void)snprintf(buf, TOKEN_MAX, "%s%s%s_%s", prefix, ids_letters(ID_ORG, org, org_text),
		       ids_letters(kind, id, id_text), secret);
	return buf;
}

char *token_format(enum id_kind kind, uint32_t org, uint64_t id, const char *secret, char *buf)
{
	return format(kind, false, org, id, secret, buf);
}

char *token_format_key(bool test, uint32_t org, uint64_t id, const char *secret, char *buf)
{
	return format(ID_KEY, test, org, id, secret, buf);
}

void token_hash(const uint8_t pepper[32], struct slice secret, uint8_t ret[TOKEN_HASH_LEN])
{
	secrets_mac(pepper, secret, ret);
}

bool token_right(const uint8_t pepper[32], struct slice secret, struct slice stored_hash)
{
	uint8_t hash[TOKEN_HASH_LEN];

	token_hash(pepper, secret, hash);
	return slice_eq_secret(slice_of((char *)hash, sizeof(hash)), stored_hash);
}
