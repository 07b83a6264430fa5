/* control/auth/key_certificate.c - which certificate a key needs, and whether it was shown. */
#include "control/auth/key_certificate.h"

#include <stdio.h>

#include "base/encode.h"
#include "control/http/api.h"
#include "control/contract/plain.h"
#include "control/http/problem.h"

static const struct slice prefix = { "mk_cert_", 8 };

int key_certificate_parse(struct slice name, uint32_t *ret_org, uint64_t *ret_key)
{
	uint64_t org, key;

	if (!slice_strip(&name, prefix) || name.n != 2 * ID_LETTERS ||
	    ids_from_letters(ID_ORG, slice_of(name.p, ID_LETTERS), &org) < 0 || org == 0 ||
	    org > INT32_MAX || ids_from_letters(ID_KEY, slice_skip(name, ID_LETTERS), &key) < 0 ||
	    key > INT64_MAX)
		return E_SYNTAX;
	*ret_org = (uint32_t)org;
	*ret_key = key;
	return 0;
}

char *key_certificate_name(uint32_t org, uint64_t key, char buf[KEY_CERTIFICATE_NAME_MAX])
{
	char org_text[ID_LETTERS + 1], key_text[ID_LETTERS + 1];

	(void)snprintf(buf, KEY_CERTIFICATE_NAME_MAX, "%s%s%s", prefix.p,
		       ids_letters(ID_ORG, org, org_text), ids_letters(ID_KEY, key, key_text));
	return buf;
}

/* 64 hexadecimal digits in either case, with or without the colons of openssl x509 -fingerprint. */
static bool read_hash(struct slice text, struct key_certificate *ret)
{
	size_t n = 0;

	for (; text.n && n < 2 * CERTIFICATE_HASH_LEN; text = slice_skip(text, 1)) {
		int digit = hex_digit(text.p[0]);

		if (text.p[0] == ':' && n && n % 2 == 0)
			continue;
		if (digit < 0)
			return false;
		ret->sha256[n / 2] = (char)(n % 2 ? ret->sha256[n / 2] << 4 | digit : digit);
		n++;
	}
	ret->hash = slice_of(ret->sha256, CERTIFICATE_HASH_LEN);
	return n == 2 * CERTIFICATE_HASH_LEN && !text.n;
}

void key_certificate_read(struct call *c, json_t *json, struct key_certificate *ret)
{
	json_t *hash = json_object_get(json, "sha256"), *subject = json_object_get(json, "subject");
	struct slice text = api_text_of(subject);

	*ret = (struct key_certificate){ 0 };
	if (!json)
		return;
	if (json_object_size(json) != 1 || !(json_is_string(hash) || json_is_string(subject))) {
		problem_add(c, "/certificate", "invalid_certificate",
			    "must have sha256 or subject, and nothing else");
	} else if (hash && !read_hash(api_text_of(hash), ret)) {
		problem_add(c, "/certificate/sha256", "invalid_certificate",
			    "must be the SHA-256 of the certificate: 64 hexadecimal digits");
	} else if (subject && (!text.n || text.n >= CERTIFICATE_SUBJECT_MAX || !plain_line(text))) {
		problem_add(c, "/certificate/subject", "invalid_certificate",
			    "must be a subject as RFC 4514 writes it, like CN=importer,O=Acme");
	} else if (subject) {
		ret->subject = text;
	}
}

json_t *key_certificate_json(uint32_t org, uint64_t key, struct slice hash, struct slice subject)
{
	char name[KEY_CERTIFICATE_NAME_MAX];
	struct buf hex = { 0 };
	json_t *json;

	if (!hash.n && !subject.n)
		return json_null();
	if (hash.n && hex_encode(&hex, hash) < 0)
		abort(); /* 64 bytes of memory */
	json =
	    json_pack("{s:o, s:o, s:s}", "sha256", hash.n ? api_text(buf_data(&hex)) : json_null(),
		      "subject", subject.n ? api_text(subject) : json_null(), "key",
		      key_certificate_name(org, key, name));
	buf_free(&hex);
	return json;
}

bool key_certificate_fits(const struct call *c, struct slice hash, struct slice subject)
{
	const struct http_certificate *shown = call_certificate(c);

	if (!hash.n && !subject.n)
		return true;
	if (!shown)
		return false;
	if (hash.n)
		return slice_eq(hash, slice_of((const char *)shown->sha256, sizeof(shown->sha256)));
	return shown->subject[0] && slice_eq(subject, slice_str(shown->subject));
}
