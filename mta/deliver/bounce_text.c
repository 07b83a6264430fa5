/* mta/deliver/bounce_text.c - the text of the report of a failure (RFC 3464). */
#include "base/clock.h"
#include "mta/deliver/bounce.h"

/* Printable ASCII stays, anything else becomes '?': no peer can add a line to our report. */
static void put_safe(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i] >= 0x20 && s.p[i] < 0x7f ? s.p[i] : '?';
		buf_put(out, slice_of(&c, 1));
	}
}

static void put_field(struct buf *out, const char *name, struct slice value)
{
	buf_put(out, slice_str(name));
	put_safe(out, value);
	buf_put(out, SLICE("\r\n"));
}

static void put_head(const struct bounce_facts *f, const char *boundary, struct buf *out)
{
	char date[RFC5322_DATE_MAX], id[ID_TEXT_MAX];

	buf_putf(out, "Date: %s\r\nFrom: Mail delivery <MAILER-DAEMON@%.*s>\r\nTo: <",
		 clock_rfc5322(f->now_ms, date), (int)f->hostname.n, f->hostname.p);
	put_safe(out, f->sender);
	buf_putf(
	    out,
	    ">\r\nSubject: Your message could not be delivered\r\nMessage-ID: <bounce.%s@%.*s>\r\n"
	    "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: multipart/report; "
	    "report-type=delivery-status;\r\n\tboundary=\"%s\"\r\n\r\n",
	    id_format(f->id, id), (int)f->hostname.n, f->hostname.p, boundary);
}

/* The class of the reply in words, when it says more than "other". */
static void put_meaning(const struct bounce_facts *f, struct buf *out)
{
	enum judge_class class;

	if (judge_class_parse(f->class, &class) == 0 && class != JUDGE_OTHER)
		buf_putf(out, "This means: %s.\r\n\r\n", judge_class_help(class));
}

static void put_words(const struct bounce_facts *f, const char *boundary, struct buf *out)
{
	buf_putf(
	    out,
	    "--%s\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nYour message to\r\n\r\n    ",
	    boundary);
	put_safe(out, f->rcpt);
	buf_put(out, SLICE("\r\n\r\ncould not be delivered and will not be tried again. The "
			   "reason:\r\n\r\n    "));
	if (f->code)
		buf_putf(out, "%u ", f->code);
	put_safe(out, f->text);
	buf_put(out, SLICE("\r\n\r\n"));
	put_meaning(f, out);
}

/* RFC 3464 sections 2.2 and 2.3. */
static void put_status(const struct bounce_facts *f, const char *boundary, struct buf *out)
{
	const char *type = f->code ? "smtp; " : "x-postern; ";

	buf_putf(out, "--%s\r\nContent-Type: message/delivery-status\r\n\r\n", boundary);
	put_field(out, "Reporting-MTA: dns; ", f->hostname);
	put_field(out, "\r\nFinal-Recipient: rfc822; ", f->rcpt);
	buf_putf(out, "Action: failed\r\nStatus: %u.%u.%u\r\n", 5, f->status.subject,
		 f->status.detail);
	if (f->host.n)
		put_field(out, "Remote-MTA: dns; ", f->host);
	buf_putf(out, "Diagnostic-Code: %s", type);
	if (f->code)
		buf_putf(out, "%u ", f->code);
	put_safe(out, f->text);
	if (f->class.n)
		put_field(out, "\r\nX-Postern-Class: ", f->class);
	else
		buf_put(out, SLICE("\r\n"));
	buf_put(out, SLICE("\r\n"));
}

/* ---- the original's header --------------------------------------------------------------- */

enum { QP_LINE = 72, PLAIN_LINE_MAX = 998 };

static bool is_plain(struct slice s)
{
	size_t line = 0;

	for (size_t i = 0; i < s.n; i++) {
		line = s.p[i] == '\n' ? 0 : line + 1;
		if (!s.p[i] || (unsigned char)s.p[i] >= 0x80 || line > PLAIN_LINE_MAX)
			return false;
	}
	return true;
}

static bool is_line_end(struct slice s, size_t i)
{
	return s.p[i] == '\n' || (s.p[i] == '\r' && i + 1 < s.n && s.p[i + 1] == '\n');
}

/* Quoted-printable, RFC 2045 section 6.7. */
static void put_quoted(struct buf *out, struct slice s)
{
	size_t col = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool last = i + 1 == s.n || is_line_end(s, i + 1);

		if (is_line_end(s, i)) {
			buf_put(out, slice_of(s.p + i, 1));
			col = 0;
			continue;
		}
		if (col >= QP_LINE) {
			buf_put(out, SLICE("=\r\n"));
			col = 0;
		}
		if ((c > 0x20 && c < 0x7f && c != '=') || ((c == ' ' || c == '\t') && !last)) {
			buf_put(out, slice_of(s.p + i, 1));
			col++;
		} else {
			buf_putf(out, "=%02X", c);
			col += 3;
		}
	}
}

static void put_header(const struct bounce_facts *f, struct buf *out)
{
	bool plain = is_plain(f->header);

	buf_put(out, SLICE("Content-Type: text/rfc822-headers\r\n"));
	if (!plain)
		buf_put(out, SLICE("Content-Transfer-Encoding: quoted-printable\r\n"));
	buf_put(out, SLICE("\r\n"));
	if (plain)
		buf_put(out, f->header);
	else
		put_quoted(out, f->header);
}

void bounce_compose(const struct bounce_facts *f, struct buf *out)
{
	char boundary[ID_TEXT_MAX + 16] = "=_postern.";

	id_format(f->id, boundary + strlen(boundary));
	put_head(f, boundary, out);
	put_words(f, boundary, out);
	put_status(f, boundary, out);
	buf_putf(out, "--%s\r\n", boundary);
	put_header(f, out);
	buf_putf(out, "\r\n--%s--\r\n", boundary);
}
