/* tests/fuzz/control/form_fuzz.c - what an OAuth client sends: a form, and an access token.
 * Laws: a form that is read and written again, with every byte escaped, reads the same; no name is
 *       there twice; a token that is accepted is the only text for what it says. */
#include <stdio.h>

#include "base/buf.h"
#include "control/auth/access_token.h"
#include "control/http/form.h"

static void put_escaped(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_putf(out, "%%%02x", (unsigned char)s.p[i]);
}

static void try_form(struct slice in)
{
	struct http_form *form = must_alloc(sizeof(*form)), *again = must_alloc(sizeof(*again));
	struct buf out = { 0 };

	if (http_form_read(form, in) == 0) {
		for (unsigned i = 0; i < form->n; i++) {
			put_escaped(&out, form->fields[i].name);
			buf_put(&out, SLICE("="));
			put_escaped(&out, form->fields[i].value);
			buf_put(&out, SLICE("&"));
			for (unsigned k = 0; k < i; k++)
				assert(!slice_eq(form->fields[i].name, form->fields[k].name));
		}
		/* Escaped it is three times as long, so that a large one has no room. */
		int r = http_form_read(again, buf_data(&out));
		assert(r == 0 || (r == E_LIMIT && buf_len(&out) > FORM_BYTES_MAX));
		for (unsigned i = 0; r == 0 && i < form->n; i++)
			assert(slice_eq(form->fields[i].name, again->fields[i].name) &&
			       slice_eq(form->fields[i].value, again->fields[i].value));
		assert(r < 0 || again->n == form->n);
	}
	buf_free(&out);
	free(form);
	free(again);
}

static void try_token(struct slice in)
{
	static const uint8_t key[ACCESS_TOKEN_KEY_LEN] = { 5 };
	char text[ACCESS_TOKEN_MAX];
	struct access_token t;

	if (access_token_parse(in, &t) < 0)
		return;
	(void)access_token_format(key, &t, SLICE("a hash"), text);
	assert(slice_eq(t.signed_text, slice_of(text, t.signed_text.n)));
	assert(access_token_right(key, &t, SLICE("a hash")) == slice_eq(in, slice_str(text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);

	try_form(in);
	try_token(in);
	return 0;
}
