/* message/aggregate/aggregate.c - which of the reports it is, and its JSON. */
#include "base/encode.h"
#include "base/json.h"
#include "message/aggregate/inside.h"

void aggregate_text(struct branch *b, const char *name, struct slice s)
{
	char line[TEXT_MOST];
	size_t n = MIN_OF(s.n, sizeof(line));

	while (n && n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--; /* whole characters */
	for (size_t i = 0; i < n; i++)
		line[i] = (unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f ? ' ' : s.p[i];
	branch_slice(b, name, slice_of(line, n));
}

static enum aggregate_kind read_plain(struct slice plain, struct branch *b, struct buf *identity)
{
	struct slice text = slice_trim_set(plain, " \t\r\n\xef\xbb\xbf");

	if (!text.n)
		return AGGREGATE_NONE;
	if (text.p[0] == '<' && rua_read(text, b, identity) == 0)
		return AGGREGATE_DMARC;
	if (text.p[0] == '{' && aggregate_tls_report(text, b, identity) == 0)
		return AGGREGATE_TLSRPT;
	return AGGREGATE_NONE;
}

enum aggregate_kind aggregate_read(struct slice attachment, struct buf *json, struct buf *identity)
{
	OWNED(tree) t = tree_new();
	enum aggregate_kind kind = AGGREGATE_NONE;
	struct buf plain = { 0 }, name = { 0 }, text = { 0 };

	if (aggregate_unpack(attachment, &plain) == 0 && buf_len(&plain))
		kind = read_plain(buf_data(&plain), tree_map(t), &name);
	if (kind != AGGREGATE_NONE &&
	    (json_put(&text, tree_value(t)) < 0 || buf_len(&text) > AGGREGATE_JSON_MAX))
		kind = AGGREGATE_NONE;
	if (kind != AGGREGATE_NONE) {
		buf_put(json, buf_data(&text));
		buf_put(identity, buf_data(&name));
	}
	buf_free(&plain);
	buf_free(&name);
	buf_free(&text);
	return kind;
}
