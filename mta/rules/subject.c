/* mta/rules/subject.c - does a selector hold for somebody? */
#include "mta/rules/selector.h"

static bool is_sender(struct slice wanted, struct slice sender)
{
	struct slice local, domain;

	if (slice_eq(wanted, SLICE("<>")))
		return !sender.n;
	if (wanted.n && *wanted.p == '@')
		return slice_cut_last(sender, '@', &local, &domain) &&
		       slice_eq_nocase(domain, slice_skip(wanted, 1));
	return slice_eq_nocase(sender, wanted);
}

static bool contains_nocase(struct slice text, struct slice part)
{
	for (size_t i = 0; i + part.n <= text.n; i++)
		if (slice_eq_nocase(slice_of(text.p + i, part.n), part))
			return true;
	return false;
}

static bool compares(const struct selector_term *t, uint64_t n)
{
	return t->sign == '<' ? n < t->number : t->sign == '>' ? n > t->number : n == t->number;
}

bool selector_term_holds(const struct selector_term *t, const struct subject *s)
{
	switch (t->key) {
	case SELECT_TENANT:
		return t->number == s->tenant;
	case SELECT_CAMPAIGN:
		return t->number == s->campaign;
	case SELECT_STREAM:
		return slice_eq(t->text, s->stream);
	case SELECT_DOMAIN:
		return slice_eq_nocase(t->text, s->domain);
	case SELECT_PROVIDER:
		return slice_eq_nocase(t->text, s->provider);
	case SELECT_SITE:
		return slice_eq_nocase(t->text, s->site);
	case SELECT_SOURCE:
		return s->leaves_from && s->leaves_from(s, &t->ip);
	case SELECT_POOL:
		return slice_eq(t->text, s->pool);
	case SELECT_SENDER:
		return is_sender(t->text, s->sender);
	case SELECT_RECIPIENT:
		return slice_eq_nocase(t->text, s->recipient);
	case SELECT_JOB:
		return id_eq(t->job, s->job);
	case SELECT_RCPT:
		return id_eq(t->job, s->job) && t->row == s->row;
	case SELECT_AGE:
		return compares(t, (uint64_t)MAX_OF(s->age_ms, (int64_t)0));
	case SELECT_ATTEMPTS:
		return compares(t, s->attempts);
	case SELECT_CLASS:
		return t->number == s->class;
	case SELECT_REPLY:
		return contains_nocase(s->reply, t->text);
	case SELECT_KEYS:
		break;
	}
	return false;
}

enum selects selector_holds(const struct selector *s, unsigned only, const struct subject *subject)
{
	enum selects all = SELECTS_YES;

	for (unsigned i = 0; i < s->n; i++) {
		const struct selector_term *t = &s->terms[i];
		if (!(only & SELECTS(t->key)))
			continue;
		if (!(subject->knows & SELECTS(t->key)))
			all = SELECTS_MAYBE;
		else if (!selector_term_holds(t, subject))
			return SELECTS_NOT;
	}
	return all;
}
