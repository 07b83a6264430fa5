/* message/header.c - walks and counts the fields of a header. */
#include "message/header.h"

#include "base/clock.h"

/* field-name: printable ASCII but the colon (RFC 5322 section 2.2).  White space before the colon
 * hides a field from one reader and shows it to another: only header_next_obsolete() passes over
 * it.  Gives the length of the name, 0 when there is none. */
static size_t name_length(struct slice s, bool obsolete, size_t *ret_colon)
{
	size_t n = 0, colon;

	while (n < s.n && s.p[n] > 0x20 && s.p[n] < 0x7f && s.p[n] != ':')
		n++;
	colon = n;
	while (obsolete && colon < s.n && (s.p[colon] == ' ' || s.p[colon] == '\t'))
		colon++;
	*ret_colon = colon;
	return colon < s.n && s.p[colon] == ':' ? n : 0;
}

/* The offset after the line that starts at `at`. */
static size_t line_end(struct slice m, size_t at)
{
	const char *lf = memchr(m.p + at, '\n', m.n - at);

	return lf ? (size_t)(lf - m.p) + 1 : m.n;
}

static size_t line_break_length(struct slice s) /* at its end: 0, 1 or 2 */
{
	if (s.n == 0 || s.p[s.n - 1] != '\n')
		return 0;
	return s.n > 1 && s.p[s.n - 2] == '\r' ? 2 : 1;
}

static int next(struct slice message, size_t *pos, bool obsolete, struct header_field *ret)
{
	size_t at = *pos, end, n, colon;
	struct slice line;

	if (at >= message.n)
		return 0;
	end = line_end(message, at);
	line = slice_of(message.p + at, end - at);
	if (line.n == line_break_length(line)) {
		*pos = end;
		return 0;
	}
	n = name_length(line, obsolete, &colon);
	if (n == 0)
		return E_SYNTAX;
	while (end < message.n && (message.p[end] == ' ' || message.p[end] == '\t'))
		end = line_end(message, end);
	if (end > HEADER_MAX)
		return E_LIMIT;
	ret->whole = slice_of(message.p + at, end - at);
	ret->name = slice_of(line.p, n);
	ret->value =
	    slice_of(line.p + colon + 1, ret->whole.n - colon - 1 - line_break_length(ret->whole));
	*pos = end;
	return 1;
}

int header_next(struct slice message, size_t *pos, struct header_field *ret)
{
	return next(message, pos, false, ret);
}

int header_next_obsolete(struct slice message, size_t *pos, struct header_field *ret)
{
	return next(message, pos, true, ret);
}

#define COUNT(member) offsetof(struct header_scan, member)
static const struct {
	struct slice name;
	size_t offset;
} counted[] = {
	{ SLICE("From"), COUNT(from) },
	{ SLICE("Sender"), COUNT(sender) },
	{ SLICE("Reply-To"), COUNT(reply_to) },
	{ SLICE("To"), COUNT(to) },
	{ SLICE("Cc"), COUNT(cc) },
	{ SLICE("Bcc"), COUNT(bcc) },
	{ SLICE("Subject"), COUNT(subject) },
	{ SLICE("Date"), COUNT(date) },
	{ SLICE("Message-ID"), COUNT(message_id) },
	{ SLICE("In-Reply-To"), COUNT(in_reply_to) },
	{ SLICE("References"), COUNT(references) },
	{ SLICE("Received"), COUNT(received) },
	{ SLICE("DKIM-Signature"), COUNT(dkim) },
	{ SLICE("MIME-Version"), COUNT(mime_version) },
};

/* "no", with or without parameters and comments (RFC 3834 section 5), counts as no field. */
static bool says_auto(struct slice v)
{
	while (v.n && (v.p[0] == ' ' || v.p[0] == '\t' || v.p[0] == '\r' || v.p[0] == '\n'))
		v = slice_skip(v, 1);
	return !(slice_starts_nocase(v, SLICE("no")) &&
		 (v.n == 2 || v.p[2] == ' ' || v.p[2] == ';' || v.p[2] == '(' || v.p[2] == '\r'));
}

static void count_field(struct header_scan *scan, const struct header_field *f)
{
	for (size_t i = 0; i < ARRAY_LEN(counted); i++) {
		unsigned *n = (unsigned *)(void *)((char *)scan + counted[i].offset);
		if (!slice_eq_nocase(f->name, counted[i].name))
			continue;
		if ((*n)++ == 0 && n == &scan->from)
			scan->from_field = *f;
		return;
	}
	if (slice_eq_nocase(f->name, SLICE("Auto-Submitted")))
		scan->auto_submitted |= says_auto(f->value);
}

int header_scan(struct slice message, struct header_scan *ret)
{
	struct header_scan scan = { 0 };
	struct header_field f;
	unsigned fields = 0;
	int r;

	while ((r = header_next(message, &scan.body, &f)) > 0) {
		if (++fields > HEADER_FIELDS_MAX)
			return E_LIMIT;
		count_field(&scan, &f);
		for (size_t i = 0; i < f.whole.n && !scan.eight_bit; i++)
			scan.eight_bit = (signed char)f.whole.p[i] < 0;
	}
	if (r < 0)
		return r;
	*ret = scan;
	return 0;
}

int header_complete(const struct header_scan *scan, int64_t date_ms, struct slice id,
		    struct slice domain, struct buf *out)
{
	char date[RFC5322_DATE_MAX];
	int r = 0;

	if (!scan->date)
		r = buf_printf(out, "Date: %s\r\n", clock_rfc5322(date_ms, date));
	if (r == 0 && !scan->message_id)
		r = buf_printf(out, "Message-ID: <%.*s@%.*s>\r\n", (int)MIN_OF(id.n, (size_t)128),
			       id.p, (int)MIN_OF(domain.n, (size_t)255), domain.p);
	return r;
}
