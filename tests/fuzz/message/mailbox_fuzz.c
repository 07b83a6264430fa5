/* Laws: what parse gives parses to itself; it holds no byte that ends a command; the normal form is
 * its own normal form; a display name written to a header is found there as the same address. */
#include "message/mailbox.h"

static void check_bytes(const struct mailbox *m)
{
	for (unsigned i = 0; i < m->n; i++) {
		unsigned char c = (unsigned char)m->text[i];
		assert(c > 0x20 && c != 0x7f && c != '<' && c != '>');
	}
	assert(m->n == strlen(m->text) && m->n <= MAILBOX_MAX);
}

static void check_parse(struct slice s)
{
	const unsigned flags = MAILBOX_UTF8 | MAILBOX_LITERAL;
	char one[MAILBOX_MAX + 2], two[MAILBOX_MAX + 2];
	struct mailbox m, again;

	if (mailbox_parse(s, flags, &m) < 0)
		return;
	check_bytes(&m);
	assert(mailbox_parse(mailbox_text(&m), flags, &again) == 0);
	assert(slice_eq(mailbox_text(&m), mailbox_text(&again)));
	assert(mailbox_parse(mailbox_normal(&m, one), flags, &again) == 0);
	assert(slice_eq(mailbox_normal(&again, two), slice_str(one)));
}

static void check_named(struct slice s)
{
	struct mailbox_named m;
	struct mailbox found;
	struct buf out;

	if (mailbox_named_parse(s, MAILBOX_CONTACT, &m) < 0)
		return;
	check_bytes(&m.box);
	buf_init(&out, 0);
	assert(mailbox_named_put(&m, 6, &out) == 0);
	for (size_t i = 0; i < buf_len(&out); i++) {
		char c = buf_data(&out).p[i];
		assert((c >= 0x20 && c < 0x7f) || c == '\r' || c == '\n');
		if (c == '\n')
			assert(i + 1 < buf_len(&out) && buf_data(&out).p[i + 1] == ' ');
	}
	assert(mailbox_first(buf_data(&out), MAILBOX_CONTACT, &found) == 0);
	assert(slice_eq(mailbox_text(&found), mailbox_text(&m.box)));
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice s = slice_of(data, size);
	struct mailbox m;

	check_parse(s);
	check_named(s);
	if (mailbox_first(s, MAILBOX_UTF8 | MAILBOX_LITERAL, &m) == 0)
		check_bytes(&m);
	return 0;
}
