/* tests/fuzz/control/credential_fuzz.c - what callers send as ids, credentials, cursors, times, and
 * the key file.
 * Laws: an id or token that is accepted is the only text for what it names; a time that is accepted
 *       reads the same
 * from its canonical form; nobody without the key makes a cursor. */
#include <stdio.h>

#include "base/clock.h"
#include "control/app/secrets.h"
#include "control/auth/key_certificate.h"
#include "control/auth/token.h"
#include "control/contract/rfc3339.h"
#include "control/http/api.h"
#include "control/http/page_cursor.h"

static const uint8_t key[32] = { 7 };

static void try_ids(struct slice in)
{
	char text[ID_OUT_MAX];
	uint64_t number;

	for (int kind = 0; kind < ID_KINDS; kind++)
		if (ids_in(kind, in, &number) == 0)
			assert(slice_eq(in, slice_str(ids_out(kind, number, text))));
}

static void try_token(struct slice in)
{
	char text[TOKEN_MAX], secret[TOKEN_SECRET_LEN + 1];
	struct token t;

	if (token_parse(in, &t) < 0)
		return;
	assert(t.org > 0 && t.secret.n == TOKEN_SECRET_LEN);
	if (memchr(t.secret.p, '\0', t.secret.n))
		return;
	slice_copy(secret, sizeof(secret), t.secret);
	if (t.test)
		(void)token_format_key(true, t.org, t.id, secret, text);
	else
		(void)token_format(t.kind, t.org, t.id, secret, text);
	assert(slice_eq(in, slice_str(text)));
}

static void try_name(struct slice in)
{
	char text[KEY_CERTIFICATE_NAME_MAX];
	uint64_t key_id;
	uint32_t org;

	if (key_certificate_parse(in, &org, &key_id) == 0)
		assert(org > 0 && slice_eq(in, slice_str(key_certificate_name(org, key_id, text))));
}

static void try_time(struct slice in)
{
	char text[RFC3339_MAX];
	int64_t ms, again;

	if (rfc3339_parse(in, &ms) < 0 || ms < 0)
		return;
	assert(rfc3339_parse(slice_str(clock_rfc3339(ms, text)), &again) == 0 && again == ms);
}

static void try_cursor(struct slice in)
{
	char text[CURSOR_TEXT_MAX + 1];
	struct buf out = { 0 };
	int64_t id;
	size_t n;

	assert(page_cursor_read(key, SLICE("about"), in, &id, text, sizeof(text), &n) == E_SYNTAX);
	/* The bytes as a place: what is written comes back. */
	struct slice place = slice_of(in.p, MIN_OF(in.n, (size_t)CURSOR_TEXT_MAX));
	assert(page_cursor_write(key, in, (int64_t)in.n, place, &out) == 0);
	assert(page_cursor_read(key, in, buf_data(&out), &id, text, sizeof(text), &n) == 0);
	assert(id == (int64_t)in.n && slice_eq(slice_of(text, n), place));
	buf_free(&out);
}

static void try_key_file(struct slice in)
{
	struct buf sealed = { 0 }, opened = { 0 };
	struct secrets *s = NULL;
	int id;

	if (secrets_parse(&s, in) < 0)
		return;
	assert(secrets_seal(s, SLICE("a"), in, &id, &sealed) == 0 && id > 0);
	assert(secrets_open(s, id, SLICE("a"), buf_data(&sealed), &opened) == 0);
	assert(slice_eq(buf_data(&opened), in));
	buf_free(&sealed);
	buf_free(&opened);
	(void)secrets_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);
	static bool once;

	if (!once)
		ids_init(key);
	once = true;
	try_ids(in);
	try_name(in);
	try_token(in);
	try_time(in);
	try_cursor(in);
	try_key_file(in);
	return 0;
}
