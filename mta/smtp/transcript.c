/* mta/smtp/transcript.c - lines one behind the other; the oldest make room. */
#include "mta/smtp/transcript.h"

#include "base/buf.h"

struct line_head {
	uint32_t ms;
	uint16_t n;
	uint8_t who, zero;
};

static struct line_head head_at(const char *p)
{
	struct line_head h;

	memcpy(&h, p, sizeof(h));
	return h;
}

/* The older half goes. */
static void make_room(struct transcript *t)
{
	size_t gone = 0;

	while (gone < TRANSCRIPT_RECENT / 2 && gone < t->recent_n)
		gone += sizeof(struct line_head) + head_at(t->recent + gone).n;
	memmove(t->recent, t->recent + gone, t->recent_n - gone);
	t->recent_n = (uint16_t)(t->recent_n - gone);
	t->cut = true;
}

static void put(struct transcript *t, enum transcript_who who, struct slice text, int64_t now_ms)
{
	const struct line_head h = { .ms = (uint32_t)(now_ms - t->began_ms),
				     .n = (uint16_t)text.n,
				     .who = (uint8_t)who };
	size_t n = sizeof(h) + text.n;
	char *to;

	if (!t->open && t->opening_n + n <= TRANSCRIPT_OPENING) {
		to = t->opening + t->opening_n;
		t->opening_n = (uint16_t)(t->opening_n + n);
	} else {
		if (t->recent_n + n > TRANSCRIPT_RECENT)
			make_room(t);
		to = t->recent + t->recent_n;
		t->recent_n = (uint16_t)(t->recent_n + n);
	}
	memcpy(to, &h, sizeof(h));
	memcpy(to + sizeof(h), text.p, text.n);
}

/* That it was said is all that is kept of AUTH, and of every line until the reply that ends it (RFC
 * 4954 section 4). */
static struct slice without_secrets(struct transcript *t, enum transcript_who who,
				    struct slice text)
{
	struct slice verb = text;

	if (who == TRANSCRIPT_WE) {
		bool begins = text.n > 4 && (*text.p | 32) == 'a' &&
			      slice_eq_nocase(slice_of(text.p, 4), SLICE("AUTH"));
		t->secret = t->secret || begins;
		return t->secret ? begins ? SLICE("AUTH [hidden]") : SLICE("[hidden]") : text;
	}
	if (who == TRANSCRIPT_THEY && t->secret) {
		t->secret = slice_strip(&verb, SLICE("334"));
		return t->secret ? SLICE("334 [hidden]") : text;
	}
	return text;
}

void transcript_add(struct transcript *t, enum transcript_who who, struct slice text,
		    int64_t now_ms)
{
	if (who < TRANSCRIPT_NOTE) {
		while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
			text.n--;
		text = without_secrets(t, who, text);
	}
	text.n = MIN_OF(text.n, (size_t)TRANSCRIPT_LINE);
	put(t, who, text, now_ms);
	if (__builtin_expect(t->watch != NULL, 0))
		t->watch->line(t->watch, who, text);
}

void transcript_each(const char *bytes, size_t n,
		     void (*each)(void *arg, enum transcript_who who, uint32_t ms,
				  struct slice text),
		     void *arg)
{
	size_t at = 0;

	while (at + sizeof(struct line_head) <= n) {
		struct line_head h = head_at(bytes + at);
		at += sizeof(h);
		each(arg, (enum transcript_who)h.who, h.ms, slice_of(bytes + at, h.n));
		at += h.n;
	}
}
