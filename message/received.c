/* message/received.c - writes the line "Received:". */
#include "message/received.h"

#include "base/clock.h"

enum { PART_MAX = 255 };

/* A peer's text inside a trace line.  Everything but the plain printable characters of a name or
 * address becomes "?", so that it can neither end the line nor open a comment. */
static void put_safe(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.n && i < PART_MAX; i++) {
		char c = s.p[i];
		bool fit = c > 0x20 && c < 0x7f && !strchr("()\\\"<>;,", c);
		buf_put(out, slice_of(fit ? &c : "?", 1));
	}
}

static void put_part(struct buf *out, const char *before, struct slice s, const char *after)
{
	buf_put(out, slice_str(before));
	put_safe(out, s);
	buf_put(out, slice_str(after));
}

static void put_tls(struct buf *out, struct slice tls)
{
	buf_put(out, SLICE("\r\n\t(using "));
	for (size_t i = 0; i < tls.n && i < 100; i++) {
		char c = tls.p[i];
		bool fit = c >= 0x20 && c < 0x7f && !strchr("()\\\"", c);
		buf_put(out, slice_of(fit ? &c : "?", 1));
	}
	buf_put(out, SLICE(")"));
}

int received_line(const struct received *r, struct buf *out)
{
	char ip[IP_TEXT_MAX], date[RFC5322_DATE_MAX];
	struct buf line;
	int e;

	buf_init(&line, 0); /* every part is bounded above */
	put_part(&line, "Received: from ", r->helo.n ? r->helo : SLICE("unknown"), "");
	if (r->ip.family)
		buf_putf(&line, " ([%s%s])", r->ip.family == AF_INET6 ? "IPv6:" : "",
			 ip_format(&r->ip, ip));
	put_part(&line, "\r\n\tby ", r->by, "");
	put_part(&line, " with ", r->protocol, "");
	put_part(&line, " id ", r->id, "");
	if (r->tls.n)
		put_tls(&line, r->tls);
	if (r->rcpt.n)
		put_part(&line, "\r\n\tfor <", r->rcpt, ">");
	buf_putf(&line, ";\r\n\t%s\r\n", clock_rfc5322(r->at_ms, date));
	e = buf_append(out, buf_data(&line));
	buf_free(&line);
	return e;
}
