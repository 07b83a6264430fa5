/* mta/warmup/plan.c - the grammar of plans, and the days of a curve. */
#include "mta/warmup/plan.h"

/* A plan while it is read. */
struct plan_words {
	struct slice days, start, target, curve, day;
};
enum { FACTOR_ONE = 100, FACTOR_MAX = 10 * FACTOR_ONE };

static const char no_word[] = "expected days=N:N..., or start=N target=N curve=1.5x; and day=N";

static int wrong(const char **ret, const char *text)
{
	*ret = text;
	return E_SYNTAX;
}

static bool read_count(struct slice s, uint64_t least, uint64_t most, uint32_t *ret)
{
	uint64_t n;

	if (slice_u64(s, most, &n) < 0 || n < least)
		return false;
	*ret = (uint32_t)n;
	return true;
}

static struct slice *word_of(struct plan_words *w, struct slice *word)
{
	return slice_strip(word, SLICE("days="))     ? &w->days
	       : slice_strip(word, SLICE("start="))  ? &w->start
	       : slice_strip(word, SLICE("target=")) ? &w->target
	       : slice_strip(word, SLICE("curve="))  ? &w->curve
	       : slice_strip(word, SLICE("day="))    ? &w->day
						     : NULL;
}

static int split(struct slice text, struct plan_words *ret, const char **ret_wrong)
{
	while ((text = slice_trim(text)).n) {
		struct slice word = slice_take(&text, ' ');
		struct slice *to = word_of(ret, &word);
		if (!to || !word.n)
			return wrong(ret_wrong, no_word);
		if (to->n)
			return wrong(ret_wrong, "a word stands there twice");
		*to = word;
	}
	return 0;
}

static int read_days(struct slice s, struct warmup_plan *ret, const char **ret_wrong)
{
	if (s.p[s.n - 1] == ':')
		return wrong(ret_wrong, "days= ends with a colon");
	while (s.n) {
		if (ret->n == WARMUP_STEPS_MAX)
			return wrong(ret_wrong, "a plan may have 366 days");
		if (!read_count(slice_take(&s, ':'), 0, WARMUP_COUNT_MAX, &ret->at[ret->n]))
			return wrong(ret_wrong, "days= takes numbers up to 1000000000");
		ret->n++;
	}
	return 0;
}

/* "1.5" as 150. */
static bool read_factor(struct slice s, uint32_t *ret)
{
	struct slice whole, decimals = { 0 };
	uint64_t a, b = 0;

	if (!slice_cut(s, '.', &whole, &decimals))
		whole = s;
	else if (decimals.n < 1 || decimals.n > 2 || slice_u64(decimals, 99, &b) < 0)
		return false;
	if (slice_u64(whole, 10, &a) < 0)
		return false;
	*ret = (uint32_t)(a * FACTOR_ONE + (decimals.n == 1 ? b * 10 : b));
	return *ret > FACTOR_ONE && *ret <= FACTOR_MAX;
}

static bool strip_end(struct slice *s, struct slice end)
{
	if (s->n < end.n || !slice_eq(slice_skip(*s, s->n - end.n), end))
		return false;
	s->n -= end.n;
	return true;
}

static int grow(struct warmup_plan *p, uint64_t start, uint64_t target, uint32_t factor,
		uint32_t more)
{
	uint64_t n = start;

	for (p->n = 0; p->n < WARMUP_STEPS_MAX; p->n++) {
		p->at[p->n] = (uint32_t)MIN_OF(n, target);
		if (n >= target)
			break;
		n = MAX_OF(n + 1, n * factor / FACTOR_ONE + more);
	}
	return p->n++ < WARMUP_STEPS_MAX ? 0 : E_LIMIT;
}

static int read_curve(struct plan_words *w, struct warmup_plan *ret, const char **ret_wrong)
{
	uint32_t start, target, factor = FACTOR_ONE, more = 0;

	if (!w->start.n || !w->target.n || !w->curve.n)
		return wrong(ret_wrong, no_word);
	if (!read_count(w->start, 1, WARMUP_COUNT_MAX, &start) ||
	    !read_count(w->target, start, WARMUP_COUNT_MAX, &target))
		return wrong(ret_wrong, "start= is at least 1, target= at least that, both at most "
					"1000000000");
	(void)strip_end(&w->curve, SLICE("/day"));
	if (slice_strip(&w->curve, SLICE("+"))) {
		if (!read_count(w->curve, 1, WARMUP_COUNT_MAX, &more))
			return wrong(ret_wrong, "curve=+N takes a number from 1 to 1000000000");
	} else {
		(void)strip_end(&w->curve, SLICE("x"));
		if (!read_factor(w->curve, &factor))
			return wrong(ret_wrong,
				     "curve= takes a factor from 1.01 to 10, or +N a day");
	}
	if (grow(ret, start, target, factor, more) < 0)
		return wrong(ret_wrong, "the target is reached after more than 366 days");
	return 0;
}

int warmup_plan_read(struct slice text, struct warmup_plan *ret, const char **ret_wrong)
{
	struct plan_words w = { 0 };
	uint32_t day = 1;
	int r;

	*ret = (struct warmup_plan){ 0 };
	text = slice_trim(text);
	if (text.n > WARMUP_TEXT_MAX)
		return wrong(ret_wrong, "a plan may have 640 bytes");
	if (slice_eq(text, SLICE("off")))
		return 0;
	r = split(text, &w, ret_wrong);
	if (r == 0 && w.days.n && (w.start.n || w.target.n || w.curve.n))
		return wrong(ret_wrong, no_word);
	if (r == 0)
		r = w.days.n ? read_days(w.days, ret, ret_wrong) : read_curve(&w, ret, ret_wrong);
	if (r == 0 && w.day.n && !read_count(w.day, 1, ret->n, &day))
		return wrong(ret_wrong, "day= is one of the days of the plan");
	ret->first = day - 1;
	return r;
}
