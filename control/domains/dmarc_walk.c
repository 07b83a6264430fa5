/* control/domains/dmarc_walk.c - finds the DMARC record that counts for a domain: RFC 9989 section
 * 4.10. */
#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"
#include "control/domains/dmarc.h"

/* Section 4.10: a domain of eight labels or more goes on with its last seven. */
enum { SHORT_LABELS = 7 };

struct dmarc_place {
	struct slice domain;
	unsigned n; /* records found there; only one counts */
	struct slice text;
	struct dmarc_record record;
	struct slice almost; /* a text that was perhaps meant as a record */
};
struct dmarc_walk {
	struct inquiry *inquiry;
	struct slice domain;
	unsigned asked;
	struct dmarc_place own, last, before; /* at domain; the last two with a record above it */
	struct dmarc_found *found;
};

PRINTF(2, 3) static void say(struct dmarc_found *f, const char *format, ...)
{
	size_t n = strlen(f->why);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(f->why + n, sizeof(f->why) - n, format, args);
	va_end(args);
}
#define S(slice) (int)(slice).n, (slice).p

static unsigned labels(struct slice domain)
{
	unsigned n = 1;

	for (size_t i = 0; i < domain.n; i++)
		n += domain.p[i] == '.';
	return n;
}

static struct slice parent(struct slice domain)
{
	struct slice label, rest;

	return slice_cut(domain, '.', &label, &rest) ? rest : SLICE("");
}

static bool is_almost(struct slice txt)
{
	txt = slice_trim(txt);
	return slice_starts_nocase(txt, SLICE("v")) && txt.n > 1 && strchr(" \t=", txt.p[1]) &&
	       txt.p[1];
}

/* Negative: DNS gave no answer. */
static int look(struct dmarc_walk *w, struct slice domain, struct dmarc_place *ret)
{
	const struct dns_answer *answer;
	char name[DNS_NAME_MAX + 8];
	int r;

	*ret = (struct dmarc_place){ .domain = domain };
	(void)snprintf(name, sizeof(name), "_dmarc.%.*s", S(domain));
	w->asked++;
	r = inquiry_ask(w->inquiry, slice_str(name), DNS_TXT, &answer);
	if (r == E_DNS_NONE || r == E_DNS_NXDOMAIN || r == E_SYNTAX)
		return 0;
	for (unsigned i = 0; r >= 0 && i < answer->n; i++) {
		struct slice txt = answer->records[i].data;

		if (dmarc_parse(txt, &ret->record) == 0) {
			ret->text = txt;
			ret->n++;
		} else if (is_almost(txt)) {
			ret->almost = txt;
		}
	}
	return r;
}

static int climb(struct dmarc_walk *w)
{
	struct slice at = w->domain;
	struct dmarc_place p;

	while (labels(at) > SHORT_LABELS + 1)
		at = parent(at);
	for (at = parent(at); at.n && w->asked < DMARC_WALK_MOST; at = parent(at)) {
		int r = look(w, at, &p);

		if (r < 0)
			return r;
		if (p.n != 1)
			continue;
		w->before = w->last;
		w->last = p;
		if (p.record.psd != 'u')
			break;
	}
	return 0;
}

/* The record of the organisational domain, or of the public suffix above it. */
static const struct dmarc_place *above(const struct dmarc_walk *w)
{
	if (w->last.n == 0)
		return NULL;
	if (w->last.record.psd == 'y' && w->before.n &&
	    slice_eq(parent(w->before.domain), w->last.domain))
		return &w->before;
	return &w->last;
}

/* Section 3.2: a domain without A, AAAA and MX does not exist.  Silence proves nothing. */
static bool exists(struct dmarc_walk *w)
{
	static const enum dns_type types[] = { DNS_MX, DNS_A, DNS_AAAA };
	const struct dns_answer *answer;

	for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
		int r = inquiry_ask(w->inquiry, w->domain, types[i], &answer);

		if (r != E_DNS_NONE && r != E_DNS_NXDOMAIN)
			return true;
	}
	return false;
}

struct dmarc_choice {
	const char *tag;
	struct slice text;
};

static struct dmarc_choice choose(struct dmarc_walk *w, const struct dmarc_place *p)
{
	const struct dmarc_record *r = &p->record;

	if (p != &w->own && r->np != DMARC_P_ABSENT && !exists(w))
		return (struct dmarc_choice){ "np", r->np_text };
	if (p != &w->own && r->sp != DMARC_P_ABSENT)
		return (struct dmarc_choice){ "sp", r->sp_text };
	return (struct dmarc_choice){ "p", r->p_text };
}

static const char *meant(struct slice text)
{
	switch (text.n ? ascii_lower(text.p[0]) : '\0') {
	case 'n':
		return " (none?)";
	case 'q':
		return " (quarantine?)";
	case 'r':
		return " (reject?)";
	default:
		return "";
	}
}

static bool say_bad(struct dmarc_found *f, const char *tag, enum dmarc_policy policy,
		    struct slice text)
{
	if (policy == DMARC_P_BAD)
		say(f, "%s=%.*s is no policy%s; ", tag, S(text), meant(text));
	return policy == DMARC_P_BAD;
}

/* Section 4.10.1: a record without a valid policy. */
static bool is_bad(const struct dmarc_record *r, struct dmarc_found *f)
{
	bool bad = say_bad(f, "p", r->p, r->p_text);

	bad = say_bad(f, "sp", r->sp, r->sp_text) || bad;
	bad = say_bad(f, "np", r->np, r->np_text) || bad;
	if (r->p == DMARC_P_ABSENT)
		say(f, "p= is missing; ");
	return bad || r->p == DMARC_P_ABSENT;
}

static void judge(struct dmarc_walk *w, const struct dmarc_place *p)
{
	struct dmarc_found *f = w->found;
	const struct dmarc_record *r = &p->record;
	struct dmarc_choice c;

	f->state = DMARC_FOUND;
	f->text = p->text;
	slice_copy(f->domain, sizeof(f->domain), p->domain);
	say(f, "found at _dmarc.%.*s: ", S(p->domain));
	if (is_bad(r, f)) {
		f->state = DMARC_UNUSABLE;
		say(f, r->reports ? "verifiers treat it as p=none"
				  : "without a rua= that can be used verifiers apply no DMARC, "
				    "which is less than p=none");
		return;
	}
	c = choose(w, p);
	say(f, "%s=%.*s counts", c.tag, S(c.text));
	if (r->testing)
		say(f, ", one step milder because of t=y");
	if (r->repeated) {
		f->state = DMARC_UNUSABLE;
		say(f, "; a tag stands twice, and verifiers differ about such a record");
	}
}

static void judge_own(struct dmarc_walk *w)
{
	struct dmarc_found *f = w->found;

	if (w->own.n > 1)
		say(f, "_dmarc.%.*s has %u records, and verifiers discard them all; ", S(w->domain),
		    w->own.n);
	else if (w->own.n == 0 && w->own.almost.n)
		say(f,
		    "a text at _dmarc.%.*s does not begin with v=DMARC1, in capitals, and is no "
		    "record; ",
		    S(w->domain));
}

void dmarc_discover(struct inquiry *a, struct slice domain, struct dmarc_found *ret)
{
	struct dmarc_walk w = { .inquiry = a, .domain = domain, .found = ret };
	const struct dmarc_place *p;
	int r;

	memset(ret, 0, sizeof(*ret));
	r = look(&w, domain, &w.own);
	if (r >= 0 && w.own.n != 1)
		r = climb(&w);
	if (r < 0) {
		ret->state = DMARC_NO_ANSWER;
		say(ret, "DNS gives no answer between _dmarc.%.*s and the root", S(domain));
		return;
	}
	judge_own(&w);
	p = w.own.n == 1 ? &w.own : above(&w);
	ret->state = DMARC_ABSENT;
	if (p)
		judge(&w, p);
	else
		say(ret, "no record between _dmarc.%.*s and the root", S(domain));
	if (w.own.n > 1)
		ret->state = DMARC_UNUSABLE;
}
