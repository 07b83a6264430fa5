/* message/report/stated.c - what fields state: of delivery notices (RFC 3464, RFC 6533) and of
 * complaints (RFC 5965).
 *
 *	recipient-field = ( "Final-Recipient" / "Original-Recipient" ) ":" type ";" address
 *	action-field    = "Action" ":" ( "failed" / "delayed" / "delivered" / "relayed" /
 *			  "expanded" )
 *	status-field    = "Status" ":" DIGIT "." 1*3DIGIT "." 1*3DIGIT
 *
 * Hosts leave out the address type, write comments behind values and put fields in any order; a
 * group of fields ends at an empty line or where a field comes that it already has. */
#include "base/encode.h"
#include "message/report/inside.h"

bool stated_next(struct slice *rest, struct slice *ret_name, struct slice *ret_value)
{
	struct slice line, before, after;

	while (rest->n) {
		line = slice_take(rest, '\n');
		while (rest->n && (*rest->p == ' ' || *rest->p == '\t')) {
			struct slice more = slice_take(rest, '\n');
			line.n = (size_t)(more.p + more.n - line.p);
		}
		*ret_name = *ret_value = slice_of("", 0);
		if (slice_trim_set(line, " \t\r").n == 0)
			return true;
		if (!slice_cut(line, ':', &before, &after))
			continue;
		*ret_name = slice_trim(before);
		*ret_value = slice_trim_set(after, " \t\r\n");
		return true;
	}
	return false;
}

struct slice stated_value(struct slice header, struct slice name)
{
	struct slice this, value;

	while (stated_next(&header, &this, &value))
		if (slice_eq_nocase(this, name))
			return value;
	return slice_of("", 0);
}

static bool one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

uint16_t stated_reply_code(struct slice s)
{
	if (s.n < 3 || s.p[0] < '2' || s.p[0] > '5' || s.p[1] < '0' || s.p[1] > '9' ||
	    s.p[2] < '0' || s.p[2] > '9')
		return 0;
	if (s.n > 3 && !one_of(s.p[3], " -:\t\r\n,;#\"')]"))
		return 0;
	return (uint16_t)((s.p[0] - '0') * 100 + (s.p[1] - '0') * 10 + (s.p[2] - '0'));
}

/* ---- addresses ----------------------------------------------------------------------------- */

/* xtext (RFC 3461: "+2B") and utf-8-addr-xtext (RFC 6533: "\x{E9}"). */
static size_t unescape(struct slice s, char out[4])
{
	uint64_t code = 0;
	size_t n = 3;

	if (s.n > 4 && memcmp(s.p, "\\x{", 3) == 0) {
		while (n < s.n && n < 9 && hex_digit(s.p[n]) >= 0)
			code = code * 16 + (unsigned)hex_digit(s.p[n++]);
		if (n < s.n && s.p[n] == '}' && n > 3 && code >= 0x21 && code < 0x10000) {
			size_t k = code < 0x80 ? 1 : code < 0x800 ? 2 : 3;
			out[0] = (char)(k == 1   ? code
					: k == 2 ? 0xc0 | code >> 6
						 : 0xe0 | code >> 12);
			if (k > 1)
				out[k - 1] = (char)(0x80 | (code & 0x3f));
			if (k == 3)
				out[1] = (char)(0x80 | (code >> 6 & 0x3f));
			out[3] = (char)k;
			return n + 1;
		}
	}
	out[0] = *s.p;
	out[3] = 1;
	return 1;
}

static void decode_address(struct slice s, struct buf *out)
{
	char c[4];

	while (s.n) {
		if (s.n > 3 && (memcmp(s.p, "+2B", 3) == 0 || memcmp(s.p, "+3D", 3) == 0)) {
			buf_put(out, s.p[2] == 'B' ? SLICE("+") : SLICE("="));
			s = slice_skip(s, 3);
			continue;
		}
		s = slice_skip(s, unescape(s, c));
		buf_put(out, slice_of(c, (size_t)c[3]));
	}
}

/* "rfc822; <a@b.example> (comment)": the address. */
static bool address_of(struct slice value, struct mailbox *ret)
{
	struct buf text = { 0 };
	struct slice found, type, rest;
	size_t at = 0;
	bool ok;

	if (slice_cut(value, ';', &type, &rest) && type.n < 16)
		value = rest;
	value = slice_of(value.p, MIN_OF(value.n, (size_t)1024));
	decode_address(value, &text);
	value = slice_trim_set(parts_text(&text), " \t\r\n<>");
	ok = mailbox_parse(value, MAILBOX_UTF8 | MAILBOX_LITERAL, ret) == 0 ||
	     prose_address(value, &at, &found, ret);
	buf_free(&text);
	return ok;
}

/* ---- delivery notices ---------------------------------------------------------------------- */

struct stated {
	struct slice final, original, action, status, diagnostic, x_recipient;
};

static void take_status(struct slice value, struct status *ret)
{
	size_t n = 0;

	while (n < value.n && ((value.p[n] >= '0' && value.p[n] <= '9') || value.p[n] == '.'))
		n++;
	(void)judge_words_status(slice_of(value.p, n), ret);
}

static enum returned_action action_of(const struct stated *g, struct status status, uint16_t code)
{
	static const char *const arrived[] = { "delivered", "relayed", "expanded", "deliverable" };

	for (size_t i = 0; i < ARRAY_LEN(arrived); i++)
		if (slice_starts_nocase(g->action, slice_str(arrived[i])))
			return RETURNED_DELIVERED;
	if (slice_starts_nocase(g->action, SLICE("delayed")))
		return RETURNED_DELAYED;
	if (!g->action.n && (status.class == 2 || (!status.class && code / 100 == 2)))
		return RETURNED_DELIVERED;
	return RETURNED_FAILED;
}

/* "smtp; 550 5.1.1 no such user": type, code and text.  The first code that stands before text. */
static void take_diagnostic(struct slice value, struct returned_recipient *to)
{
	struct slice type, rest;

	if (slice_cut(value, ';', &type, &rest) && type.n < 40 && !memchr(type.p, ' ', type.n))
		value = slice_trim_set(rest, " \t\r\n");
	to->text = value;
	for (size_t i = 0; i < value.n && i < 256 && !to->code; i++)
		if (i == 0 || one_of(value.p[i - 1], " \t\n:;(<[\"'#,="))
			to->code = stated_reply_code(slice_skip(value, i));
	if (to->code < 400)
		to->code = 0;
}

static void end_group(struct returned *r, struct stated *g)
{
	struct mailbox box, original;
	struct returned_recipient *to = NULL;
	bool final = address_of(g->final.n ? g->final : g->x_recipient, &box);
	bool first = address_of(g->original, &original);

	if (final || first)
		to = returned_add(r, final ? &box : &original);
	if (to) {
		if (first && !slice_eq_nocase(mailbox_text(&original), mailbox_text(&to->box)))
			to->original = original;
		take_status(g->status, &to->status);
		if (g->diagnostic.n)
			take_diagnostic(g->diagnostic, to);
		to->action = action_of(g, to->status, to->code);
	}
	*g = (struct stated){ { 0 } };
}

void stated_status(struct returned *r, struct slice rest)
{
	struct stated g = { { 0 } };
	const struct {
		const char *name;
		struct slice *to;
		bool starts;
	} known[] = { { "Final-Recipient", &g.final, true },
		      { "Original-Recipient", &g.original, true },
		      { "X-Actual-Recipient", &g.x_recipient, false },
		      { "Action", &g.action, true },
		      { "Status", &g.status, true },
		      { "Diagnostic-Code", &g.diagnostic, false } };
	struct slice name, value;

	while (stated_next(&rest, &name, &value)) {
		if (!name.n && (g.final.n || g.original.n))
			end_group(r, &g);
		if (slice_eq_nocase(name, SLICE("Original-Envelope-Id")) && !r->envelope_id.n)
			r->envelope_id = value;
		for (size_t i = 0; i < ARRAY_LEN(known); i++) {
			if (!slice_eq_nocase(name, slice_str(known[i].name)))
				continue;
			if (known[i].to->n && known[i].starts)
				end_group(r, &g);
			*known[i].to = value;
		}
	}
	end_group(r, &g);
}

/* ---- complaints ---------------------------------------------------------------------------- */

void stated_feedback(struct returned *r, struct slice rest)
{
	struct slice name, value;
	struct mailbox box;

	while (stated_next(&rest, &name, &value)) {
		if (slice_eq_nocase(name, SLICE("Feedback-Type")) && !r->feedback_type.n)
			r->feedback_type = value;
		if (slice_eq_nocase(name, SLICE("Original-Envelope-Id")) && !r->envelope_id.n)
			r->envelope_id = value;
		if ((slice_eq_nocase(name, SLICE("Original-Rcpt-To")) ||
		     slice_eq_nocase(name, SLICE("Removal-Recipient"))) &&
		    address_of(value, &box)) {
			struct returned_recipient *to = returned_add(r, &box);
			if (to)
				to->action = RETURNED_COMPLAINED;
		}
	}
}
