/* message/report/prose.c - notices for people: whom they name, and what was said of each.
 *
 * The notice ends where the returned message begins.  Every address in it is weighed by where it
 * stands: alone or first on its line, behind words such as "RCPT TO:" or "recipient", or somewhere.
 * The addresses of the best kind that occurs are the recipients.  What was said of one is the text
 * from its address to the next recipient, from a reply code on when there is one. */
#include "message/report/inside.h"

enum { LINES_MAX = 4000, FOUND_MAX = 2000, SEGMENT_MAX = 4096, NOT_CHOSEN = 65535, OURS_MAX = 16 };

/* ---- addresses ----------------------------------------------------------------------------- */

static bool local_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c < 0 || (c && strchr("!#$%&'*+/=?^_`{|}~.-", c));
}

static bool domain_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c < 0 || c == '.' || c == '-';
}

/* A local part in quotes that ends before `at`: where it begins, or at. */
static size_t quoted_begin(struct slice s, size_t at)
{
	size_t i = at;

	if (at < 2 || s.p[at - 1] != '"')
		return at;
	for (i = at - 1; i > 0 && at - i < MAILBOX_LOCAL_MAX && s.p[i - 1] != '"'; i--)
		;
	return i > 0 && s.p[i - 1] == '"' ? i - 1 : at;
}

static bool address_around(struct slice s, size_t at, struct slice *ret, struct mailbox *box)
{
	size_t begin = at, end = at + 1;

	while (begin > 0 && at - begin <= MAILBOX_LOCAL_MAX && local_byte(s.p[begin - 1]))
		begin--;
	if (begin == at)
		begin = quoted_begin(s, at);
	while (end < s.n && end - at <= MAILBOX_DOMAIN_MAX && domain_byte(s.p[end]))
		end++;
	while (end > at && (s.p[end - 1] == '.' || s.p[end - 1] == '-'))
		end--;
	while (begin < at && strchr("'*.-=`", s.p[begin]))
		begin++;
	*ret = slice_of(s.p + begin, end - begin);
	return begin < at && end > at + 1 && mailbox_parse(*ret, MAILBOX_UTF8, box) == 0;
}

bool prose_address(struct slice s, size_t *at, struct slice *ret, struct mailbox *box)
{
	while (*at < s.n) {
		const char *sign = memchr(s.p + *at, '@', s.n - *at);
		if (!sign)
			break;
		*at = (size_t)(sign - s.p) + 1;
		if (address_around(s, *at - 1, ret, box))
			return true;
	}
	*at = s.n;
	return false;
}

/* ---- where the returned message begins ----------------------------------------------------- */

static bool begins_header(struct slice line)
{
	static const char *const names[] = { "Received",
					     "Return-Path",
					     "DKIM-Signature",
					     "DomainKey-Signature",
					     "Message-ID",
					     "MIME-Version",
					     "X-Envelope-From",
					     "Content-Type",
					     "Delivered-To",
					     "X-Original-To",
					     "ARC-Seal",
					     "X-Mailer",
					     "Authentication-Results" };
	struct slice name, value;

	if (!line.n || *line.p == ' ' || *line.p == '\t' || !slice_cut(line, ':', &name, &value))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (slice_eq_nocase(slice_trim(name), slice_str(names[i])))
			return true;
	return false;
}

static bool separates(struct slice line)
{
	static const char *const words[] = { "original message",
					     "copy of the message",
					     "copy of your message",
					     "original header",
					     "header of the original",
					     "returned message",
					     "unsent message",
					     "message follows",
					     "headers follow",
					     "below this line",
					     "message header",
					     "original mail",
					     "message contents",
					     "start of message",
					     "message is following",
					     "header follows",
					     "message text follows",
					     "body of message",
					     "ursprüngliche nachricht",
					     "original-nachricht",
					     "message d'origine",
					     "mensaje original",
					     "messaggio originale",
					     "mensagem original",
					     "body of the message",
					     "copy of your mail",
					     "undelivered message",
					     "the message headers",
					     "first part of the message",
					     NULL };
	static const char *const ends[] = {
		"follows",  "follows:",   "follow:",    "follow.", "follows.",
		"headers:", "following.", "following:", NULL
	};
	bool ruled, closed = false;

	line = slice_trim_set(line, " \t\r");
	if (line.n < 8 || line.n > 120)
		return false;
	ruled = memchr("-=*_>|", line.p[0], 6) && line.p[1] == line.p[0];
	for (const char *const *e = ends; *e; e++)
		closed |= line.n > strlen(*e) &&
			  slice_eq_nocase(slice_skip(line, line.n - strlen(*e)), slice_str(*e));
	return (ruled || closed) && kind_has(line, words);
}

void prose_cut(struct slice text, struct slice *ret_notice, struct slice *ret_returned)
{
	struct slice rest = text;

	while (rest.n) {
		struct slice before = rest, line = slice_take(&rest, '\n');
		bool header = begins_header(line);
		if (!header && !separates(line))
			continue;
		*ret_notice = slice_of(text.p, (size_t)(before.p - text.p));
		*ret_returned = header ? before : rest;
		return;
	}
	*ret_notice = text;
	*ret_returned = slice_of("", 0);
}

/* ---- weighing ------------------------------------------------------------------------------ */

enum weight { NOBODY, SOMEWHERE, OURSELVES, NAMED, LEADING };
struct found {
	struct slice at; /* in the text */
	struct slice line;
	enum weight weight;
	unsigned to; /* of the report's recipients, or NOT_CHOSEN */
	struct mailbox box;
};
struct reading {
	struct slice text;
	unsigned n_ours, n;
	struct mailbox ours[OURS_MAX];
	struct found *found;
};

static bool ends_nocase(struct slice s, const char *end)
{
	size_t n = strlen(end);

	return s.n >= n && slice_eq_nocase(slice_skip(s, s.n - n), slice_of(end, n));
}

static bool ends_with_one(struct slice s, const char *const *ends)
{
	for (; *ends; ends++)
		if (ends_nocase(s, *ends))
			return true;
	return false;
}

/* The text before an address says that it is the recipient, or that it is not. */
static enum weight weight_by_words(struct slice before)
{
	static const char *const no[] = { "from",         "sender",
					  "contact",      "mail to postmaster",
					  "reply-to",     "message-id",
					  " id",          "write to",
					  "help",         "by sending mail to",
					  "return-path",  "hello",
					  " hi",          "dear",
					  "abuse",        "envelope-from",
					  "user from",    "cc",
					  "send mail to", "e-mail to",
					  "email to",     "sent by",
					  "von",          "de la part de",
					  "sent from",    "questions to",
					  "originator",   "absender",
					  "expéditeur",   "remitente",
					  "mittente",     NULL };
	static const char *const yes[] = { " to",          "rcpt to",      "recipient",
					   "recipients",   "addresses",    "address",
					   "for",          "user",         "mailbox",
					   "account",      "failed",       "recipient(s)",
					   "address(es)",  "attempts",     "unknown",
					   "adresse",      "empfänger",    "destinatario",
					   "destinataire", "destinatário", " an",
					   "recipient is", "error",        "following",
					   "адрес",        "получател",    "получателю",
					   "宛先",         "收件人",       "destinatari",
					   "odbiorca",     "userid",       "mottagare",
					   "ontvanger",    "not deliver",  "delivering",
					   "follows",      "indirizzo",    "dirección",
					   "endereço",     "rejected",     NULL };
	bool labelled;

	before = slice_trim_set(before, " \t\r<\"'([*`");
	labelled = before.n && before.p[before.n - 1] == ':';
	before = slice_trim_set(before, " \t\r<\"'([*`:;=");
	if (ends_with_one(before, no))
		return NOBODY;
	if (ends_nocase(before, "mailto") || !before.n)
		return SOMEWHERE;
	return labelled || ends_with_one(before, yes) || slice_eq_nocase(before, SLICE("to"))
		   ? NAMED
		   : SOMEWHERE;
}

/* The addresses of the notice's own header: from whom, to whom. */
static void know_ourselves(struct reading *g, const struct parts *p)
{
	static const enum part_head ours[] = { HEAD_TO, HEAD_DELIVERED_TO, HEAD_ORIGINAL_TO,
					       HEAD_FROM };

	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		struct slice found;
		size_t at = 0;
		while (g->n_ours < OURS_MAX &&
		       prose_address(p->head[ours[i]], &at, &found, &g->ours[g->n_ours]))
			g->n_ours++;
	}
}

static bool said_of_us(const struct reading *g, const struct mailbox *box)
{
	for (unsigned i = 0; i < g->n_ours; i++)
		if (slice_eq_nocase(mailbox_text(&g->ours[i]), mailbox_text(box)))
			return true;
	return false;
}

static bool of_a_host(const struct mailbox *box)
{
	static const char *const names[] = {
		"postmaster", "mailer-daemon", "abuse",    "support",
		"helpdesk",   "noreply",       "no-reply", "hostmaster"
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (slice_eq_nocase(mailbox_local(box), slice_str(names[i])))
			return true;
	return false;
}

static bool is_reply_line(struct slice line)
{
	line = slice_trim_set(line, " \t\r<>-.");
	return stated_reply_code(line) >= 400;
}

static enum weight weigh(const struct reading *g, const struct found *f)
{
	struct slice before = slice_of(f->line.p, (size_t)(f->at.p - f->line.p));
	struct slice lead = slice_trim_set(before, " \t\r<>\"'(*-+[|.:;#");
	enum weight w = weight_by_words(before);

	if (w == NOBODY)
		return NOBODY;
	if (!lead.n)
		w = LEADING;
	else if (w == SOMEWHERE && is_reply_line(f->line))
		w = NAMED;
	if (said_of_us(g, &f->box) || of_a_host(&f->box))
		return w >= NAMED ? OURSELVES : NOBODY;
	return w;
}

static void find_all(struct reading *g)
{
	struct slice rest = g->text;

	for (unsigned lines = 0; rest.n && lines < LINES_MAX; lines++) {
		struct slice line = slice_take(&rest, '\n');
		struct found f = { .line = line };
		for (size_t at = 0; g->n < FOUND_MAX && prose_address(line, &at, &f.at, &f.box);) {
			f.weight = weigh(g, &f);
			g->found[g->n++] = f;
		}
	}
}

/* ---- what was said ------------------------------------------------------------------------- */

/* The place of a reply code of 4xx or 5xx in s; s.n when there is none. */
static size_t find_code(struct slice s)
{
	for (size_t i = 0; i + 3 <= s.n; i++)
		if ((s.p[i] == '4' || s.p[i] == '5') &&
		    (i == 0 || (s.p[i - 1] && strchr(" \t\r\n:;(<[\"'#,=>-", s.p[i - 1]))) &&
		    stated_reply_code(slice_skip(s, i)) >= 400)
			return i;
	return s.n;
}

static void say(struct prose_said *to, struct slice text, unsigned weight)
{
	size_t at = find_code(text);

	if (at < text.n) {
		text = slice_skip(text, at);
		to->code = stated_reply_code(text);
	}
	if (to->code || !to->text.n || weight > to->weight) {
		to->weight = weight;
		to->text = slice_trim_set(text, " \t\r\n>:;,)");
	}
}

static void know_recipients(struct reading *g, const struct returned *r)
{
	for (unsigned i = 0; i < g->n; i++) {
		g->found[i].to = NOT_CHOSEN;
		for (unsigned k = 0; k < r->n && g->found[i].to == NOT_CHOSEN; k++)
			if (slice_eq_nocase(mailbox_text(&r->recipients[k].box),
					    mailbox_text(&g->found[i].box)))
				g->found[i].to = k;
	}
}

/* From behind the address to the line of the next other recipient. */
static struct slice segment(const struct reading *g, unsigned i)
{
	const struct found *f = &g->found[i];
	const char *begin = f->at.p + f->at.n, *end = g->text.p + g->text.n;

	for (unsigned k = i + 1; k < g->n; k++) {
		const struct found *next = &g->found[k];
		if (next->line.p == f->line.p || next->to == NOT_CHOSEN || next->to == f->to)
			continue;
		end = next->line.p;
		break;
	}
	return slice_of(begin, MIN_OF((size_t)(end - begin), (size_t)SEGMENT_MAX));
}

/* A reply that stands before the address in its line; else what follows the address. */
static struct slice said_at(const struct reading *g, unsigned i)
{
	const struct found *f = &g->found[i];
	struct slice before = slice_of(f->line.p, (size_t)(f->at.p - f->line.p));
	struct slice after = segment(g, i);
	size_t at = find_code(before);

	if (at == before.n)
		return after;
	return slice_of(before.p + at, (size_t)(after.p + after.n - before.p) - at);
}

/* As Postfix, Exim and qmail put it.  Sendmail's transcript proves nothing: the answers to commands
 * that it sent ahead stand behind ">>> DATA". */
static bool is_after_data(struct slice said)
{
	static const char *const words[] = { "in reply to end of data", "after end of data",
					     "failed after i sent the message",
					     "end of data command", NULL };

	return kind_has(said, words);
}

static void give_texts(struct reading *g, const struct returned *r, struct prose_said *said)
{
	know_recipients(g, r);
	for (unsigned i = 0; i < g->n; i++) {
		struct prose_said *to = g->found[i].to == NOT_CHOSEN ? NULL : &said[g->found[i].to];
		if (!to || to->code)
			continue;
		say(to, said_at(g, i), g->found[i].weight);
		to->after_data |= is_after_data(segment(g, i));
	}
}

static void choose(struct reading *g, struct returned *r, enum weight least)
{
	enum weight best = least;

	for (unsigned i = 0; i < g->n; i++)
		best = MAX_OF(best, g->found[i].weight);
	for (unsigned i = 0; i < g->n; i++)
		if (g->found[i].weight == best)
			(void)returned_add(r, &g->found[i].box);
}

static bool names_one(struct reading *g, const struct returned *r)
{
	know_recipients(g, r);
	for (unsigned i = 0; i < g->n; i++)
		if (g->found[i].to != NOT_CHOSEN)
			return true;
	return false;
}

/* The header may name whom no text names (a host has forwarded it): then the text is right. */
static void choose_instead(struct reading *g, struct returned *r)
{
	unsigned n = r->n;

	choose(g, r, LEADING);
	if (r->n == n)
		return;
	memmove(r->recipients, r->recipients + n, (r->n - n) * sizeof(*r->recipients));
	r->n -= n;
}

void prose_recipients(struct returned *r, struct slice text, const struct parts *p, bool by_fields,
		      struct prose_said *said)
{
	struct reading g = { .text = text };

	g.found = malloc(FOUND_MAX * sizeof(*g.found));
	if (!g.found)
		return;
	know_ourselves(&g, p);
	find_all(&g);
	if (!r->n)
		choose(&g, r, OURSELVES);
	else if (!by_fields && !names_one(&g, r))
		choose_instead(&g, r);
	give_texts(&g, r, said);
	free(g.found);
}

void prose_last_resort(struct returned *r, struct slice text, const struct parts *p)
{
	struct reading g = { .text = text };

	g.found = malloc(FOUND_MAX * sizeof(*g.found));
	if (!g.found)
		return;
	know_ourselves(&g, p);
	find_all(&g);
	choose(&g, r, SOMEWHERE);
	if (r->n > 1)
		r->n = 0;
	free(g.found);
}
