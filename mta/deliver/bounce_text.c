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

/* What differs by action. */
static const struct action_words {
	const char *name, *subject, *before, *after;
	unsigned class; /* of the status */
} actions[] = {
	[BOUNCE_FAILED] = { "failed", "Your message could not be delivered", "Your message to",
			    "could not be delivered and will not be tried again. The reason:", 5 },
	[BOUNCE_DELAYED] = { "delayed", "Your message is not delivered yet", "Your message to",
			     "is not delivered yet. It is still tried, and you need not send it "
			     "again. The reason:",
			     4 },
	[BOUNCE_RELAYED] = { "relayed", "Your message was handed on", "Your message to",
			     "was taken by the recipient's mail host, which sends no notice of "
			     "what "
			     "becomes of it. It said:",
			     2 },
};

static void put_head(const struct bounce_facts *f, const char *boundary, struct buf *out)
{
	char date[RFC5322_DATE_MAX], id[ID_TEXT_MAX];

	buf_putf(out, "Date: %s\r\nFrom: Mail delivery <MAILER-DAEMON@%.*s>\r\nTo: <",
		 clock_rfc5322(f->now_ms, date), (int)f->hostname.n, f->hostname.p);
	put_safe(out, f->sender);
	buf_putf(out,
		 ">\r\nSubject: %s\r\nMessage-ID: <bounce.%s@%.*s>\r\n"
		 "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
		 "Content-Type: multipart/report; "
		 "report-type=delivery-status;\r\n\tboundary=\"%s\"\r\n\r\n",
		 actions[f->action].subject, id_format(f->id, id), (int)f->hostname.n,
		 f->hostname.p, boundary);
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
	buf_putf(out, "--%s\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n%s\r\n\r\n    ",
		 boundary, actions[f->action].before);
	put_safe(out, f->rcpt);
	buf_putf(out, "\r\n\r\n%s\r\n\r\n    ", actions[f->action].after);
	if (f->code)
		buf_putf(out, "%u ", f->code);
	put_safe(out, f->text);
	buf_put(out, SLICE("\r\n\r\n"));
	put_meaning(f, out);
}

/* RFC 3461 section 5.2.6: as the sender knew it. */
static void put_original(const struct bounce_facts *f, struct buf *out)
{
	struct buf text = { 0 };
	struct slice type, address;

	if (!slice_cut(f->orcpt, ';', &type, &address) || wire_xtext_decode(address, &text) < 0) {
		buf_free(&text);
		return;
	}
	buf_put(out, SLICE("Original-Recipient: "));
	put_safe(out, type);
	put_field(out, "; ", buf_data(&text));
	buf_free(&text);
}

/* RFC 3464 sections 2.2 and 2.3. */
static void put_status(const struct bounce_facts *f, const char *boundary, struct buf *out)
{
	const char *type = f->code ? "smtp; " : "x-postern; ";
	char date[RFC5322_DATE_MAX];

	buf_putf(out, "--%s\r\nContent-Type: message/delivery-status\r\n\r\n", boundary);
	put_field(out, "Reporting-MTA: dns; ", f->hostname);
	if (f->envid.n)
		put_field(out, "Original-Envelope-Id: ", f->envid);
	buf_put(out, SLICE("\r\n"));
	put_original(f, out);
	put_field(out, "Final-Recipient: rfc822; ", f->rcpt);
	buf_putf(out, "Action: %s\r\nStatus: %u.%u.%u\r\n", actions[f->action].name,
		 actions[f->action].class, f->status.subject, f->status.detail);
	if (f->action == BOUNCE_DELAYED)
		buf_putf(out, "Will-Retry-Until: %s\r\n", clock_rfc5322(f->until_ms, date));
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

bool bounce_is_plain(struct slice s)
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
	bool plain = bounce_is_plain(f->header);

	buf_put(out, SLICE("Content-Type: text/rfc822-headers\r\n"));
	if (!plain)
		buf_put(out, SLICE("Content-Transfer-Encoding: quoted-printable\r\n"));
	buf_put(out, SLICE("\r\n"));
	if (plain)
		buf_put(out, f->header);
	else
		put_quoted(out, f->header);
}

static void put_original_message(const struct bounce_facts *f, struct buf *out)
{
	if (f->whole.n) {
		buf_put(out, SLICE("Content-Type: message/rfc822\r\n\r\n"));
		buf_put(out, f->whole);
	} else {
		put_header(f, out);
	}
}

void bounce_compose(const struct bounce_facts *f, struct buf *out)
{
	char boundary[ID_TEXT_MAX + 16] = "=_postern.";

	id_format(f->id, boundary + strlen(boundary));
	put_head(f, boundary, out);
	put_words(f, boundary, out);
	put_status(f, boundary, out);
	buf_putf(out, "--%s\r\n", boundary);
	put_original_message(f, out);
	buf_putf(out, "\r\n--%s--\r\n", boundary);
}
