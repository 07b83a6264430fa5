/* message/report/part.c - a message taken apart.  GMime knows MIME; what is kept of it, and how
 * much, is decided here.  Nothing else in the tree opens GMime. */
#include <gmime/gmime.h>
#include <pthread.h>

#include "message/header.h"
#include "message/report/inside.h"

enum { TEXT_MAX = 256 * 1024, HEAD_MAX = 2048, NESTED_MAX = 200 };

static const char *const head_names[HEADS] = {
	[HEAD_SUBJECT] = "Subject",
	[HEAD_FROM] = "From",
	[HEAD_TO] = "To",
	[HEAD_RETURN_PATH] = "Return-Path",
	[HEAD_DELIVERED_TO] = "Delivered-To",
	[HEAD_ORIGINAL_TO] = "X-Original-To",
	[HEAD_AUTO_SUBMITTED] = "Auto-Submitted",
	[HEAD_PRECEDENCE] = "Precedence",
	[HEAD_FAILED_RECIPIENTS] = "X-Failed-Recipients",
	[HEAD_AUTOREPLY] = "X-Autoreply",
	[HEAD_AUTORESPOND] = "X-Autorespond",
	[HEAD_IN_REPLY_TO] = "In-Reply-To",
};

static void start_gmime(void)
{
	g_mime_init();
}

void parts_prepare(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, start_gmime);
}

/* ---- one part ------------------------------------------------------------------------------ */

/* A part that follows another starts on a line of its own. */
static void put(struct buf *to, struct slice text, const char *charset)
{
	if (buf_len(to) >= TEXT_MAX)
		return;
	if (buf_len(to))
		buf_put(to, SLICE("\n\n"));
	decode_text(to, slice_of(text.p, MIN_OF(text.n, (size_t)TEXT_MAX)), charset);
}

static void put_html(struct buf *to, struct slice text, const char *charset)
{
	struct buf html = { 0 };

	decode_text(&html, slice_of(text.p, MIN_OF(text.n, (size_t)TEXT_MAX)), charset);
	if (buf_len(to) < TEXT_MAX)
		decode_html(to, parts_text(&html));
	buf_free(&html);
}

static bool is(GMimeContentType *type, const char *major, const char *minor)
{
	return g_mime_content_type_is_type(type, major, minor);
}

static void keep_content(struct parts *p, GMimeContentType *type, struct slice text)
{
	const char *charset = g_mime_content_type_get_parameter(type, "charset");

	if (is(type, "message", "delivery-status") ||
	    is(type, "message", "global-delivery-status")) {
		p->types |= PART_STATUS;
		put(&p->status, text, charset);
	} else if (is(type, "message", "feedback-report")) {
		p->types |= PART_FEEDBACK;
		put(&p->feedback, text, charset);
	} else if (is(type, "text", "rfc822-headers") || is(type, "message", "global-headers") ||
		   is(type, "message", "rfc822") || is(type, "message", "global")) {
		p->types |= PART_RETURNED;
		put(&p->returned, text, charset);
	} else if (is(type, "text", "html")) {
		put_html(&p->html, text, charset);
	} else if (is(type, "text", "*")) {
		put(&p->prose, text, charset);
	}
}

static void note_type(struct parts *p, GMimeContentType *type)
{
	const char *report = g_mime_content_type_get_parameter(type, "report-type");

	if (is(type, "multipart", "report"))
		p->types |= PART_REPORT;
	if (is(type, "application", "tlsrpt+gzip") || is(type, "application", "tlsrpt+json") ||
	    (report && slice_eq_nocase(slice_str(report), SLICE("tlsrpt"))))
		p->types |= PART_TLSRPT;
	if (is(type, "application", "zip") || is(type, "application", "gzip") ||
	    is(type, "application", "x-zip-compressed") || is(type, "application", "x-gzip") ||
	    is(type, "application", "octet-stream"))
		p->types |= PART_ARCHIVE;
}

/* Attachments of reports about a domain are packed, or XML, or JSON of their own. */
static bool may_be_aggregate(GMimeContentType *type)
{
	return is(type, "application", "tlsrpt+gzip") || is(type, "application", "tlsrpt+json") ||
	       is(type, "application", "zip") || is(type, "application", "gzip") ||
	       is(type, "application", "x-zip-compressed") || is(type, "application", "x-gzip") ||
	       is(type, "application", "octet-stream") || is(type, "application", "xml") ||
	       is(type, "application", "json") || is(type, "text", "xml");
}

static void read_leaf(struct parts *p, GMimeObject *part)
{
	GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(part));
	GMimeStream *to;
	GByteArray *bytes;

	if (!content)
		return;
	to = g_mime_stream_mem_new();
	(void)g_mime_data_wrapper_write_to_stream(content, to);
	bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(to));
	keep_content(p, g_mime_object_get_content_type(part), slice_of(bytes->data, bytes->len));
	if (!buf_len(&p->attachment) && may_be_aggregate(g_mime_object_get_content_type(part)))
		buf_put(&p->attachment, slice_of(bytes->data, bytes->len));
	g_object_unref(to);
}

static void read_returned(struct parts *p, GMimeObject *part)
{
	GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(part));
	char *header = inner ? g_mime_object_get_headers(GMIME_OBJECT(inner), NULL) : NULL;

	p->types |= PART_RETURNED;
	if (header)
		put(&p->returned, slice_str(header), NULL);
	g_free(header);
}

static void read_part(struct parts *p, GMimeObject *part, unsigned depth)
{
	if (!part || depth > RETURNED_DEPTH_MAX || p->n >= RETURNED_PARTS_MAX)
		return;
	p->n++;
	note_type(p, g_mime_object_get_content_type(part));
	if (GMIME_IS_MULTIPART(part)) {
		int n = g_mime_multipart_get_count(GMIME_MULTIPART(part));
		for (int i = 0; i < n && p->n < RETURNED_PARTS_MAX; i++)
			read_part(p, g_mime_multipart_get_part(GMIME_MULTIPART(part), i),
				  depth + 1);
	} else if (GMIME_IS_MESSAGE_PART(part)) {
		read_returned(p, part);
	} else if (GMIME_IS_PART(part)) {
		read_leaf(p, part);
	}
}

/* ---- the message --------------------------------------------------------------------------- */

static void read_head(struct parts *p, GMimeObject *message)
{
	for (unsigned i = 0; i < HEADS; i++) {
		const char *value = g_mime_object_get_header(message, head_names[i]);
		struct buf text = { 0 };
		struct slice s = slice_str(value);

		if (!value)
			continue;
		decode_text(&text, slice_of(s.p, MIN_OF(s.n, (size_t)HEAD_MAX)), NULL);
		p->head[i] = slice_str(must_copy(parts_text(&text)));
		buf_free(&text);
	}
}

/* Every part in a part names its type.  Past this many, no text in it is for people, and GMime
 * would follow them all the way down. */
static bool nests_too_much(struct slice s)
{
	unsigned n = 0;

	for (const char *at; (at = memchr(s.p, '/', s.n)) != NULL;) {
		size_t before = (size_t)(at - s.p);
		n += (before >= 9 && slice_eq_nocase(slice_of(at - 9, 9), SLICE("multipart"))) ||
		     (before >= 7 && slice_eq_nocase(slice_of(at - 7, 7), SLICE("message")));
		s = slice_skip(s, before + 1);
	}
	return n > NESTED_MAX;
}

/* GMime looks through the fields that it has whenever there is one more. */
static bool has_long_header(struct slice s)
{
	unsigned run = 0;

	while (s.n && run <= 2 * HEADER_FIELDS_MAX) {
		struct slice line = slice_take(&s, '\n');
		run = memchr(line.p, ':', MIN_OF(line.n, (size_t)80)) ? run + 1 : 0;
	}
	return run > 2 * HEADER_FIELDS_MAX;
}

static struct slice without_mbox_line(struct slice s)
{
	if (s.n > 5 && memcmp(s.p, "From ", 5) == 0)
		(void)slice_take(&s, '\n');
	return s;
}

static struct slice raw_body(struct slice s)
{
	const char *lf, *crlf;

	if (!s.p)
		return s;
	lf = memmem(s.p, s.n, "\n\n", 2);
	crlf = memmem(s.p, s.n, "\r\n\r\n", 4);
	if (crlf && (!lf || crlf < lf))
		return slice_skip(s, (size_t)(crlf - s.p) + 4);
	return lf ? slice_skip(s, (size_t)(lf - s.p) + 2) : s;
}

static bool has_text(const struct parts *p)
{
	return buf_len(&p->prose) || buf_len(&p->html) || buf_len(&p->status) ||
	       buf_len(&p->feedback);
}

/* "--x" before a line "Content-...": a delimiter, whatever the header says. */
static struct slice find_delimiter(struct slice body)
{
	while (body.n) {
		struct slice line = slice_trim_set(slice_take(&body, '\n'), " \t\r");
		if (line.n > 4 && line.n < 120 && line.p[0] == '-' && line.p[1] == '-' &&
		    !memchr(line.p, '"', line.n) && slice_starts_nocase(body, SLICE("Content-")))
			return slice_skip(line, 2);
	}
	return slice_of("", 0);
}

static void read_message(struct parts *p, struct slice s, bool with_head)
{
	GMimeStream *from = g_mime_stream_mem_new_with_buffer(s.p, s.n);
	GMimeParser *parser = g_mime_parser_new_with_stream(from);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);

	if (message) {
		if (with_head)
			read_head(p, GMIME_OBJECT(message));
		read_part(p, g_mime_message_get_mime_part(message), 0);
		g_object_unref(message);
	}
	g_object_unref(parser);
	g_object_unref(from);
}

/* Somebody has rewritten the delimiter in the header, or lost it. */
static void read_by_delimiter(struct parts *p, struct slice message)
{
	struct slice body = raw_body(message), delimiter = find_delimiter(body);
	struct buf text = { 0 };

	if (!delimiter.n)
		return;
	buf_put(&text, SLICE("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\""));
	buf_put(&text, delimiter);
	buf_put(&text, SLICE("\"\n\n"));
	buf_put(&text, body);
	read_message(p, parts_text(&text), false);
	buf_free(&text);
}

void parts_read(struct parts *p, struct slice message)
{
	*p = (struct parts){ 0 };
	parts_prepare();
	message =
	    without_mbox_line(slice_of(message.p, MIN_OF(message.n, (size_t)RETURNED_BYTES_MAX)));
	if (message.n && !nests_too_much(message) && !has_long_header(message)) {
		read_message(p, message, true);
		if (!has_text(p) && !(p->types & PART_RETURNED))
			read_by_delimiter(p, message);
	}
	if (message.n && !has_text(p))
		put(&p->prose, raw_body(message), NULL);
}

void parts_clear(struct parts *p)
{
	for (unsigned i = 0; i < HEADS; i++)
		free((void *)(uintptr_t)p->head[i].p);
	buf_free(&p->prose);
	buf_free(&p->html);
	buf_free(&p->status);
	buf_free(&p->objects);
	buf_free(&p->feedback);
	buf_free(&p->returned);
	buf_free(&p->attachment);
	*p = (struct parts){ 0 };
}
