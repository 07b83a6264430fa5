/* message/mend.c - takes out of a submitted header what must not travel. */
#include "message/mend.h"

#include "message/header.h"

static const struct slice dropped[] = {
	SLICE("Bcc"),
	SLICE("Resent-Bcc"),
	SLICE("Return-Path"),
};
static const struct slice bom = SLICE("\xef\xbb\xbf");

static bool is_dropped(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(dropped); i++)
		if (slice_eq_nocase(name, dropped[i]))
			return true;
	return false;
}

static bool begins_with_field(struct slice s)
{
	struct header_field f;
	size_t pos = 0;

	return header_next_obsolete(s, &pos, &f) > 0;
}

/* The first line with its end. */
static size_t line_length(struct slice s)
{
	const char *lf = memchr(s.p, '\n', s.n);

	return lf ? (size_t)(lf - s.p) + 1 : s.n;
}

/* The line that stands between the messages of a mailbox file (RFC 4155), quoted or not. */
static bool is_separator(struct slice s)
{
	while (s.n && s.p[0] == '>')
		s = slice_skip(s, 1);
	return s.n >= 5 && memcmp(s.p, "From ", 5) == 0;
}

/* Length of what stands before the first field; 0 when no field follows. */
static size_t preamble_length(struct slice m)
{
	struct slice s = m;

	while (!begins_with_field(s)) {
		if (slice_starts_nocase(s, bom))
			s = slice_skip(s, bom.n);
		else if (is_separator(s))
			s = slice_skip(s, line_length(s));
		else
			return 0;
	}
	return (size_t)(s.p - m.p);
}

/* Moves bytes of the message down to where those that stay end. */
struct mend {
	char *to;
};

static void keep(struct mend *w, const char *from, const char *end)
{
	size_t n = (size_t)(end - from);

	if (w->to != from)
		memmove(w->to, from, n);
	w->to += n;
}

static void keep_field(struct mend *w, const struct header_field *f)
{
	const char *colon = f->value.p - 1, *end = f->whole.p + f->whole.n;

	keep(w, f->name.p, f->name.p + f->name.n);
	keep(w, colon, end);
}

bool mend_header(struct buf *message, size_t at)
{
	struct slice m = slice_skip(buf_data(message), at), s;
	struct mend w = { message->p + message->start + at };
	size_t pos = 0, done = 0;
	struct header_field f;

	s = slice_skip(m, preamble_length(m));
	while (header_next_obsolete(s, &pos, &f) > 0) {
		if (!is_dropped(f.name))
			keep_field(&w, &f);
		done = pos;
	}
	keep(&w, s.p + done, s.p + s.n);
	message->end = (size_t)(w.to - message->p);
	return done > 0;
}

/* ---- a header that is not the first thing ------------------------------------------------ */

static const struct slice common[] = {
	SLICE("To"),           SLICE("Cc"),           SLICE("Subject"), SLICE("Date"),
	SLICE("Message-ID"),   SLICE("MIME-Version"), SLICE("Sender"),  SLICE("Reply-To"),
	SLICE("Content-Type"), SLICE("Received"),
};

/* The name before the colon; white space and other bytes that nobody sees may stand around it. */
static struct slice name_in(struct slice line)
{
	const char *colon = memchr(line.p, ':', line.n);

	if (!colon)
		return slice_of(line.p, 0);
	line = slice_of(line.p, (size_t)(colon - line.p));
	while (line.n && (line.p[0] <= 0x20 || line.p[0] >= 0x7f))
		line = slice_skip(line, 1);
	return slice_trim(line);
}

static bool is_blank(struct slice line)
{
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] != ' ' && line.p[i] != '\t' && line.p[i] != '\r' && line.p[i] != '\n')
			return false;
	return true;
}

/* Adds what the line is named to the set; true when it is From, or names blind recipients. */
static bool note_name(struct slice name, unsigned *seen)
{
	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		if (slice_eq_nocase(name, common[i]))
			*seen |= 1U << i;
	return slice_eq_nocase(name, SLICE("From")) || slice_eq_nocase(name, SLICE("Bcc")) ||
	       slice_eq_nocase(name, SLICE("Resent-Bcc"));
}

bool mend_hidden_header(struct slice text)
{
	bool begun = false;
	unsigned seen = 0;

	for (unsigned lines = 0; text.n && lines < HEADER_FIELDS_MAX; lines++) {
		struct slice line = slice_of(text.p, line_length(text));
		text = slice_skip(text, line.n);
		if (is_blank(line) && begun)
			break;
		begun = begun || !is_blank(line);
		if (note_name(name_in(line), &seen))
			return true;
	}
	return (seen & (seen - 1)) != 0;
}
