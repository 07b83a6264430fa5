/* message/judge/pattern.c - reads patterns and runs them: each step that may come next is a bit. */
#include "message/judge/pattern.h"

enum { NEAR = 4, FAR = 10 };

static int wrong(const char **ret, const char *why)
{
	*ret = why;
	return E_SYNTAX;
}

/* Folded as texts are; '*' stays. */
static int add_choice(struct judge_pattern *p, struct slice word, const char **ret_wrong)
{
	struct judge_choice *c = &p->choice[p->n_choices];
	size_t from = p->used;
	bool glob = false;
	char out[4];
	int n;

	if (p->n_choices == JUDGE_CHOICES)
		return wrong(ret_wrong, "a pattern has at most 96 words");
	while (word.n && p->used + sizeof(out) < sizeof(p->bytes)) {
		if (word.p[0] == '*' || word.p[0] == '@') {
			glob |= word.p[0] == '*';
			p->bytes[p->used++] = word.p[0];
			word = slice_skip(word, 1);
			continue;
		}
		word = slice_skip(word, judge_words_fold(word, out, &n));
		if (n < 0)
			return wrong(ret_wrong, "words have letters and digits only; write a blank "
						"for every other character");
		memcpy(p->bytes + p->used, out, (size_t)n);
		p->used += (size_t)n;
	}
	*c = (struct judge_choice){ slice_of(p->bytes + from, p->used - from), !glob };
	if (!c->text.n || word.n || slice_eq(c->text, SLICE("*")))
		return wrong(ret_wrong, "a word is missing or too long; for any words write .. or "
					"...");
	p->n_choices++;
	return 0;
}

static int add_step(struct judge_pattern *p, struct judge_step step, const char **ret_wrong)
{
	if (p->n == JUDGE_STEPS)
		return wrong(ret_wrong, "a pattern has at most 48 steps; .. counts 4, ... counts "
					"10");
	p->step[p->n++] = step;
	return 0;
}

static int add_gap(struct judge_pattern *p, unsigned words, const char **ret_wrong)
{
	int r = 0;

	while (r == 0 && words--)
		r = add_step(p, (struct judge_step){ .any = true, .optional = true }, ret_wrong);
	return r;
}

static int add_words(struct judge_pattern *p, struct slice words, const char **ret_wrong)
{
	struct judge_step step = { .first = (uint16_t)p->n_choices };
	int r = 0;

	if (words.n > 2 && words.p[0] == '[' && words.p[words.n - 1] == ']') {
		step.optional = true;
		words = slice_of(words.p + 1, words.n - 2);
	}
	if (words.p[words.n - 1] == '|')
		return wrong(ret_wrong, "a word is missing after |");
	while (r == 0 && words.n)
		r = add_choice(p, slice_take(&words, '|'), ret_wrong);
	step.n = (uint16_t)(p->n_choices - step.first);
	return r < 0 ? r : add_step(p, step, ret_wrong);
}

static int add_element(struct judge_pattern *p, struct slice element, const char **ret_wrong)
{
	if (slice_eq(element, SLICE("..")))
		return add_gap(p, NEAR, ret_wrong);
	if (slice_eq(element, SLICE("...")))
		return add_gap(p, FAR, ret_wrong);
	return add_words(p, element, ret_wrong);
}

static bool has_a_word(const struct judge_pattern *p)
{
	for (unsigned i = 0; i < p->n; i++)
		if (!p->step[i].optional)
			return true;
	return false;
}

int judge_pattern_read(struct judge_pattern *p, struct slice text, const char **ret_wrong)
{
	int r = 0;

	p->n = p->n_choices = 0;
	p->used = 0;
	text = slice_trim(text);
	p->from_start = slice_strip(&text, SLICE("^"));
	p->to_end = text.n && text.p[text.n - 1] == '$';
	text.n -= p->to_end;
	while (r == 0 && (text = slice_trim(text)).n)
		r = add_element(p, slice_take(&text, ' '), ret_wrong);
	if (r == 0 && !has_a_word(p))
		r = wrong(ret_wrong, "a pattern needs a word that may not be missing");
	return r;
}

bool judge_pattern_glob(struct slice glob, struct slice s)
{
	size_t g = 0, i = 0, star = SIZE_MAX, again = 0;

	while (i < s.n) {
		if (g < glob.n && glob.p[g] == '*') {
			star = g++;
			again = i;
		} else if (g < glob.n && glob.p[g] == s.p[i]) {
			g++;
			i++;
		} else if (star != SIZE_MAX) {
			g = star + 1;
			i = ++again;
		} else {
			return false;
		}
	}
	while (g < glob.n && glob.p[g] == '*')
		g++;
	return g == glob.n;
}

static bool step_takes(const struct judge_matcher *m, const struct judge_step *step,
		       const struct judge_words *w, unsigned i)
{
	if (step->any)
		return true;
	for (unsigned k = step->first; k < step->first + step->n; k++) {
		const struct judge_choice *c = &m->choice[k];
		if (c->id ? c->id == w->word[i].id
			  : judge_pattern_glob(c->text, judge_words_at(w, i)))
			return true;
	}
	return false;
}

/* Steps that may be missing are stepped over. */
static uint64_t with_skipped(const struct judge_matcher *m, uint64_t active)
{
	for (unsigned i = 0; i < m->n; i++)
		if (active >> i & 1 && m->step[i].optional)
			active |= (uint64_t)2 << i;
	return active;
}

bool judge_pattern_matches(const struct judge_matcher *m, const struct judge_words *w)
{
	const uint64_t start = with_skipped(m, 1), done = (uint64_t)1 << m->n;
	uint64_t active = start;

	for (unsigned i = 0; i < w->n; i++) {
		uint64_t next = 0;
		for (uint64_t left = active & (done - 1); left; left &= left - 1) {
			unsigned k = (unsigned)__builtin_ctzll(left);
			if (step_takes(m, &m->step[k], w, i))
				next |= (uint64_t)2 << k;
		}
		next = with_skipped(m, next);
		if (next & done && (!m->to_end || i + 1 == w->n))
			return true;
		active = m->from_start ? next : next | start;
		if (!active)
			return false;
	}
	return false;
}
