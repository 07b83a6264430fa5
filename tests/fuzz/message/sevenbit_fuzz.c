/* Laws of message/sevenbit.h.  Of any bytes: what comes out is 7-bit, has no long line that did not
 * come in, is at most half as long again and a little, and stays as it is when it is converted once
 * more.  Of a message made from the bytes, with parts in parts: GMime, another reader, finds the
 * same parts with the same bytes before and after. */
#include <gmime/gmime.h>

#include "message/sevenbit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PARTS_MAX = 64, A_PART = 512 };

static void check_lines(struct slice in, struct slice out)
{
	while (out.n) {
		struct slice line = slice_take(&out, '\n');

		for (size_t i = 0; i < line.n; i++)
			assert((unsigned char)line.p[i] < 0x80);
		assert(line.n <= 999 || memmem(in.p, in.n, line.p, line.n));
	}
}

static bool convert(struct slice in, struct buf *out)
{
	struct buf again = { 0 };

	if (sevenbit_append(out, in) < 0)
		return false;
	check_lines(in, buf_data(out));
	assert(buf_len(out) <= in.n + in.n / 2 + 1024 + 64 * A_PART);
	assert(sevenbit_append(&again, buf_data(out)) == 0);
	assert(slice_eq(buf_data(out), buf_data(&again)));
	buf_free(&again);
	return true;
}

/* ---- a message of parts ------------------------------------------------------------------ */

struct source {
	struct slice rest;
	unsigned parts;
};

static unsigned take_byte(struct source *s)
{
	unsigned c = s->rest.n ? (unsigned char)*s->rest.p : 0;

	s->rest = slice_skip(s->rest, s->rest.n > 0);
	return c;
}

static struct slice take_text(struct source *s)
{
	struct slice text = slice_of(s->rest.p, MIN_OF(s->rest.n, (size_t)take_byte(s) * 4));

	text.n = MIN_OF(text.n, s->rest.n);
	text.p = s->rest.p;
	s->rest = slice_skip(s->rest, text.n);
	return text;
}

static void write_entity(struct buf *out, struct source *s, unsigned depth)
{
	static const char *const types[] = { "text/plain; charset=utf-8", "TEXT/html", "image/png",
					     "application/octet-stream; name=\"a;b\"" };
	unsigned how = take_byte(s), n = how / 8 % 3 + 1;

	if (how % 8 == 0 && depth < 3) {
		buf_putf(out, "Content-Type: multipart/%s;\r\n boundary=\"=_b%u\"\r\n",
			 how & 64 ? "alternative" : "mixed", depth);
		buf_putf(out, "%s\r\nbefore\r\n",
			 how & 128 ? "Content-Transfer-Encoding: 8bit\r\n" : "");
		for (unsigned i = 0; i < n; i++) {
			buf_putf(out, "--=_b%u\r\n", depth);
			write_entity(out, s, depth + 1);
			buf_put(out, SLICE("\r\n"));
		}
		buf_putf(out, "--=_b%u--\r\nbehind\r\n", depth);
	} else if (how % 8 == 1 && depth < 3) {
		buf_put(out, SLICE("Content-Type: message/rfc822\r\n\r\nSubject: in it\r\n"
				   "MIME-Version: 1.0\r\n"));
		write_entity(out, s, depth + 1);
	} else {
		s->parts++;
		buf_putf(out, "Content-Type: %s\r\nX-Part: %u\r\n", types[how / 8 % 4], s->parts);
		if (how & 128)
			buf_putf(out, "content-transfer-encoding: %s\r\n",
				 how & 64 ? "8BIT" : "binary");
		buf_put(out, SLICE("\r\n"));
		buf_put(out, take_text(s));
	}
}

/* ---- as GMime reads it ------------------------------------------------------------------- */

struct found {
	unsigned n;
	GByteArray *bytes[PARTS_MAX];
};

static void find_part(GMimeObject *parent, GMimeObject *o, gpointer arg)
{
	struct found *f = arg;
	GMimeStream *mem;

	(void)parent;
	if (GMIME_IS_MESSAGE_PART(o)) {
		GMimeMessage *m = g_mime_message_part_get_message(GMIME_MESSAGE_PART(o));
		if (m)
			g_mime_message_foreach(m, find_part, f);
		return;
	}
	if (!GMIME_IS_PART(o) || f->n == PARTS_MAX)
		return;
	mem = g_mime_stream_mem_new();
	f->bytes[f->n] = g_byte_array_new();
	g_mime_stream_mem_set_byte_array(GMIME_STREAM_MEM(mem), f->bytes[f->n++]);
	if (g_mime_part_get_content(GMIME_PART(o)))
		(void)g_mime_data_wrapper_write_to_stream(g_mime_part_get_content(GMIME_PART(o)),
							  mem);
	g_object_unref(mem);
}

static void read_with_gmime(struct slice s, struct found *ret)
{
	GMimeStream *mem = g_mime_stream_mem_new_with_buffer(s.p, s.n);
	GMimeParser *parser = g_mime_parser_new_with_stream(mem);
	GMimeMessage *m = g_mime_parser_construct_message(parser, NULL);

	*ret = (struct found){ 0 };
	assert(m);
	g_mime_message_foreach(m, find_part, ret);
	g_object_unref(m);
	g_object_unref(parser);
	g_object_unref(mem);
}

static void check_same(struct slice before, struct slice after, unsigned parts)
{
	struct found a, b;

	read_with_gmime(before, &a);
	read_with_gmime(after, &b);
	assert(a.n == parts && b.n == parts);
	for (unsigned i = 0; i < a.n; i++) {
		assert(a.bytes[i]->len == b.bytes[i]->len);
		assert(!a.bytes[i]->len ||
		       !memcmp(a.bytes[i]->data, b.bytes[i]->data, a.bytes[i]->len));
		g_byte_array_unref(a.bytes[i]);
		g_byte_array_unref(b.bytes[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	struct source s = { slice_of(data, size), 0 };
	struct buf made = { 0 }, out = { 0 };

	if (!ready)
		g_mime_init();
	ready = true;
	if (size > 65536)
		return 0;
	(void)convert(slice_of(data, size), &out);
	buf_clear(&out);
	if (memmem(data, size, "--=_b", 5))
		goto end;
	buf_put(&made, SLICE("From: a@b.test\r\nMIME-Version: 1.0\r\n"));
	write_entity(&made, &s, 0);
	if (s.parts > PARTS_MAX)
		goto end;
	if (!convert(buf_data(&made), &out))
		abort();
	check_same(buf_data(&made), buf_data(&out), s.parts);
end:
	buf_free(&made);
	buf_free(&out);
	return 0;
}
