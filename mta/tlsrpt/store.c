/* mta/tlsrpt/store.c - the results as text, one fact a line, so that a restart goes on counting.
 *
 *	file    = "postern tls-reports 1" LF *domain "end " number of domains LF
 *	domain  = "domain" name told-day LF *told *( day *policy )
 *	told    = "told" at-ms ( "1" / "0" ) where what LF              ; 1: it was handed over
 *	day     = ( "today" / "due" ) day nonce next-ms tries LF
 *	policy  = "policy" type successes failures LF *( "text" line LF ) *( "mx" line LF ) *failure
 *	failure = "fail" result sessions from to mx reason LF           ; "-" for what is empty
 *
 * What is in hand is due again after a restart: its number is the same, so nobody takes the report
 * for another one. */
#include <inttypes.h>

#include "base/buf.h"
#include "dns/name.h"
#include "mta/tlsrpt/results_int.h"

#define FIRST_LINE "postern tls-reports 1"

/* ---- writing ----------------------------------------------------------------------------- */

static const char *or_none(const char *s)
{
	return *s ? s : "-";
}

static void write_lines(struct buf *out, const char *word, const char *lines)
{
	struct slice rest = slice_str(lines);

	while (rest.n) {
		struct slice line = slice_take(&rest, '\n');
		buf_putf(out, "%s %.*s\n", word, (int)line.n, line.p);
	}
}

static void write_policy(struct buf *out, const struct tally_policy *p)
{
	const struct tally_failure *f;

	buf_putf(out, "policy %s %" PRIu64 " %" PRIu64 "\n", results_policy_name(p->policy),
		 p->success, p->failure);
	write_lines(out, "text", p->text);
	write_lines(out, "mx", p->mx);
	list_each(&p->failures, f, struct tally_failure, link)
		buf_putf(out, "fail %s %" PRIu64 " %s %s %s %s\n", results_name(f->kind), f->n,
			 or_none(f->from), or_none(f->to), or_none(f->mx), or_none(f->reason));
}

static void write_day(struct buf *out, const char *word, const struct tally *t)
{
	const struct tally_policy *p;

	if (!t)
		return;
	buf_putf(out, "%s %" PRId64 " %" PRIu64 " %" PRId64 " %u\n", word, t->day, t->nonce,
		 t->next_ms, t->tries);
	list_each(&t->policies, p, struct tally_policy, link)
		write_policy(out, p);
}

void results_write(const struct results *r, struct buf *out)
{
	const struct tally_domain *d;

	buf_put(out, SLICE(FIRST_LINE "\n"));
	list_each(&r->all, d, struct tally_domain, all) {
		buf_putf(out, "domain %s %" PRId64 "\n", d->name, d->told_day);
		for (unsigned i = 0; i < d->n_told; i++)
			buf_putf(out, "told %" PRId64 " %d %s %s\n", d->told[i].at_ms,
				 d->told[i].done, d->told[i].where, d->told[i].what);
		write_day(out, "today", d->today);
		write_day(out, "due", d->due);
	}
	buf_putf(out, "end %zu\n", r->map.count);
}

/* ---- reading ----------------------------------------------------------------------------- */

struct results_reading {
	struct results *r;
	struct tally_domain *domain;
	struct tally *day;
	struct tally_policy *policy; /* once a failure, or what follows the policy, was read */
	/* A policy whose lines are being read. */
	bool open;
	enum results_policy kind;
	uint64_t success, failure;
	struct buf text, mx;
	bool ended;
};

static int take_number(struct slice *line, uint64_t max, uint64_t *ret)
{
	return slice_u64(slice_take(line, ' '), max, ret);
}

/* As it was written: printable, in one line. */
static bool is_line(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < ' ' || s.p[i] > '~')
			return false;
	return true;
}

static int close_policy(struct results_reading *g)
{
	if (!g->open)
		return 0;
	g->open = false;
	g->policy = results_policy(g->day, g->kind, buf_data(&g->text), buf_data(&g->mx));
	if (!g->policy)
		return E_LIMIT;
	g->policy->success += g->success;
	g->policy->failure += g->failure;
	return 0;
}

static int read_domain(struct results_reading *g, struct slice line)
{
	char name[DNS_NAME_MAX];
	struct slice text = slice_take(&line, ' ');
	uint64_t day;

	g->day = NULL;
	g->policy = NULL;
	if (name_clean(text, name) <= 0 || take_number(&line, INT32_MAX, &day) < 0 ||
	    results_find(g->r, slice_str(name)))
		return E_SYNTAX;
	g->domain = results_add(g->r, slice_str(name));
	if (!g->domain)
		return E_LIMIT;
	g->domain->told_day = (int64_t)day;
	return 0;
}

static int read_told(struct results_reading *g, struct slice line)
{
	uint64_t at, done;
	struct slice where;
	struct tally_told *row;
	char text[REPORTING_SHOWN_MAX];

	if (!g->domain || take_number(&line, INT64_MAX, &at) < 0 ||
	    take_number(&line, 1, &done) < 0)
		return E_SYNTAX;
	where = slice_take(&line, ' ');
	if (!where.n || where.n >= sizeof(text))
		return E_SYNTAX;
	(void)slice_copy(text, sizeof(text), where);
	row = results_told_row(g->domain, text);
	row->at_ms = (int64_t)at;
	row->done = done;
	(void)slice_copy(row->what, sizeof(row->what), line);
	return 0;
}

static int read_day(struct results_reading *g, struct slice line, struct tally **at)
{
	uint64_t day, nonce, next, tries;

	g->policy = NULL;
	if (*at || take_number(&line, INT32_MAX, &day) < 0 ||
	    take_number(&line, UINT64_MAX, &nonce) < 0 ||
	    take_number(&line, INT64_MAX / 2, &next) < 0 || take_number(&line, 1000, &tries) < 0)
		return E_SYNTAX;
	g->day = *at = results_tally((int64_t)day);
	g->day->nonce = nonce;
	g->day->next_ms = (int64_t)next;
	g->day->tries = (unsigned)tries;
	return 0;
}

static int read_policy(struct results_reading *g, struct slice line)
{
	struct slice word = slice_take(&line, ' ');

	if (!g->day)
		return E_SYNTAX;
	for (g->kind = 0; g->kind < RESULTS_POLICIES; g->kind++)
		if (slice_eq(word, slice_str(results_policy_name(g->kind))))
			break;
	if (g->kind == RESULTS_POLICIES || take_number(&line, INT64_MAX / 2, &g->success) < 0 ||
	    take_number(&line, INT64_MAX / 2, &g->failure) < 0)
		return E_SYNTAX;
	buf_clear(&g->text);
	buf_clear(&g->mx);
	g->open = true;
	return 0;
}

static int read_line_of(struct results_reading *g, struct slice line, struct buf *to)
{
	if (!g->open || !line.n)
		return E_SYNTAX;
	if (buf_len(to))
		buf_put(to, SLICE("\n"));
	buf_put(to, line);
	return 0;
}

static size_t copy_or_none(char *to, size_t cap, struct slice s)
{
	return slice_copy(to, cap, slice_eq(s, SLICE("-")) ? slice_of("", 0) : s);
}

static int read_failure(struct results_reading *g, struct slice line)
{
	struct tally_failure f = { .kind = RESULTS_SUCCESS + 1 };
	struct slice word = slice_take(&line, ' '), from, to, mx;
	char host[DNS_NAME_MAX], reason[RESULTS_REASON_MAX];

	while (f.kind < RESULTS_KINDS && !slice_eq(word, slice_str(results_name(f.kind))))
		f.kind++;
	if (!g->policy || f.kind == RESULTS_KINDS || take_number(&line, INT64_MAX / 2, &f.n) < 0)
		return E_SYNTAX;
	from = slice_take(&line, ' ');
	to = slice_take(&line, ' ');
	mx = slice_take(&line, ' ');
	(void)copy_or_none(f.from, sizeof(f.from), from);
	(void)copy_or_none(f.to, sizeof(f.to), to);
	(void)copy_or_none(host, sizeof(host), mx);
	(void)copy_or_none(reason, sizeof(reason), line);
	results_count(g->r, g->policy, &f, slice_str(host), slice_str(reason));
	return 0;
}

static int read_line(struct results_reading *g, struct slice line)
{
	struct slice word = slice_take(&line, ' ');
	int r;

	if (slice_eq(word, SLICE("text")))
		return read_line_of(g, line, &g->text);
	if (slice_eq(word, SLICE("mx")))
		return read_line_of(g, line, &g->mx);
	r = close_policy(g);
	if (r < 0)
		return r;
	if (slice_eq(word, SLICE("fail")))
		return read_failure(g, line);
	if (slice_eq(word, SLICE("policy")))
		return read_policy(g, line);
	if (slice_eq(word, SLICE("domain")))
		return read_domain(g, line);
	if (slice_eq(word, SLICE("told")))
		return read_told(g, line);
	if (slice_eq(word, SLICE("today")) && g->domain)
		return read_day(g, line, &g->domain->today);
	if (slice_eq(word, SLICE("due")) && g->domain)
		return read_day(g, line, &g->domain->due);
	g->ended = slice_eq(word, SLICE("end"));
	return g->ended ? 0 : E_SYNTAX;
}

/* As far as it is right. */
void results_read(struct results *r, struct slice text)
{
	struct results_reading g = { .r = r };

	r->lost = !slice_eq(slice_take(&text, '\n'), SLICE(FIRST_LINE));
	while (text.n && !r->lost && !g.ended) {
		struct slice line = slice_take(&text, '\n');
		r->lost = !is_line(line) || read_line(&g, line) < 0;
	}
	if (g.open && close_policy(&g) < 0)
		r->lost = true;
	r->lost = r->lost || !g.ended;
	buf_free(&g.text);
	buf_free(&g.mx);
}
