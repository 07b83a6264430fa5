/* message/judge/keys.c - the keys of a rule, and how each is read. */
#include "message/judge/inside.h"

static int wrong(const char **ret, const char *expected)
{
	*ret = expected;
	return E_SYNTAX;
}

static int number(struct slice s, uint64_t max, uint16_t *ret)
{
	uint64_t n;

	if (s.n > 3 || slice_u64(s, max, &n) < 0)
		return E_SYNTAX;
	*ret = (uint16_t)n;
	return 0;
}

/* "550", "5xx", "55x", "550-559": from and to. */
static int number_range(struct slice s, uint16_t *from, uint16_t *to)
{
	struct slice a = s, b = s;
	uint16_t scale = 1, i;

	if (slice_cut(s, '-', &a, &b))
		return number(a, 999, from) < 0 || number(b, 999, to) < 0 || *from > *to ? E_SYNTAX
											 : 0;
	while (a.n > 1 && a.p[a.n - 1] == 'x') {
		a.n--;
		scale = (uint16_t)(scale * 10);
	}
	if (a.n != s.n && s.n != 3)
		return E_SYNTAX;
	if (number(a, 999 / scale, &i) < 0)
		return E_SYNTAX;
	*from = (uint16_t)(i * scale);
	*to = (uint16_t)(*from + scale - 1);
	return 0;
}

static int one_code(struct judge_rule *rule, struct slice s)
{
	struct judge_codes c = { 0, 0 };

	if (slice_eq(s, SLICE("any")))
		c.to = 999;
	else if (!slice_eq(s, SLICE("none")) &&
		 (number_range(s, &c.from, &c.to) < 0 || c.from < 200))
		return E_SYNTAX;
	rule->codes[rule->n_codes++] = c;
	return 0;
}

static int one_part(struct slice s, uint16_t *ret)
{
	if (!slice_eq(s, SLICE("x")))
		return number(s, 999, ret);
	*ret = JUDGE_X;
	return 0;
}

static int one_status(struct judge_rule *rule, struct slice s)
{
	struct judge_statuses x = { 0 };
	struct slice part;

	if (!slice_eq(s, SLICE("none"))) {
		part = slice_take(&s, '.');
		if (one_part(part, &x.class) < 0 ||
		    (x.class != JUDGE_X && x.class != 4 && x.class != 5))
			return E_SYNTAX;
		part = slice_take(&s, '.');
		if (one_part(part, &x.subject) < 0)
			return E_SYNTAX;
		x.detail_end = 999;
		if (!slice_eq(s, SLICE("x")) && number_range(s, &x.detail, &x.detail_end) < 0)
			return E_SYNTAX;
	}
	rule->statuses[rule->n_statuses++] = x;
	return 0;
}

static bool is_name(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789.-", s.p[i]) || !s.p[i])
			return false;
	return s.n > 0 && s.n <= JUDGE_NAME_MAX;
}

static int one_provider(struct judge_rule *rule, struct slice s)
{
	if (!is_name(s))
		return E_SYNTAX;
	rule->providers[rule->n_providers++] = s;
	return 0;
}

static int read_list(struct judge_rule *rule, struct slice value, const unsigned *n,
		     int (*one)(struct judge_rule *, struct slice), const char *expected,
		     const char **ret_wrong)
{
	if (!value.n || value.p[value.n - 1] == ',')
		return wrong(ret_wrong, expected);
	while (value.n) {
		if (*n == JUDGE_LIST_MAX)
			return wrong(ret_wrong,
				     "there are at most 16 entries; write a second rule");
		if (one(rule, slice_trim(slice_take(&value, ','))) < 0)
			return wrong(ret_wrong, expected);
	}
	return 0;
}

static int read_code(struct judge *j UNUSED, struct judge_rule *rule, struct slice value,
		     const char **ret_wrong)
{
	return read_list(rule, value, &rule->n_codes, one_code,
			 "expected codes such as 550, 5xx, 550-554, none or any", ret_wrong);
}

static int read_status(struct judge *j UNUSED, struct judge_rule *rule, struct slice value,
		       const char **ret_wrong)
{
	return read_list(rule, value, &rule->n_statuses, one_status,
			 "expected statuses such as 5.1.1, x.2.2, 5.7.x, 5.7.600-699 or none",
			 ret_wrong);
}

static int read_provider(struct judge *j UNUSED, struct judge_rule *rule, struct slice value,
			 const char **ret_wrong)
{
	return read_list(rule, value, &rule->n_providers, one_provider,
			 "expected names of providers, in small letters", ret_wrong);
}

static int read_class(struct judge *j UNUSED, struct judge_rule *rule, struct slice value,
		      const char **ret_wrong)
{
	if (rule->class_given || judge_class_parse(value, &rule->class) < 0)
		return wrong(ret_wrong, "expected one class of postern-rules(5), such as "
					"invalid-recipient");
	rule->class_given = true;
	return 0;
}

static int read_action(struct judge *j UNUSED, struct judge_rule *rule, struct slice value,
		       const char **ret_wrong)
{
	if (rule->action_given || judge_action_parse(value, &rule->action) < 0)
		return wrong(ret_wrong, "expected one action of postern-rules(5), such as end, "
					"retry or suspend source 30m");
	rule->action_given = true;
	return 0;
}

static void keep_pattern(struct judge *j, const struct judge_pattern *p, struct slice source)
{
	struct judge_line line = { .source = source,
				   .from_start = p->from_start,
				   .to_end = p->to_end,
				   .first_step = j->n_steps,
				   .n = p->n,
				   .first_choice = j->n_choices };

	for (unsigned i = 0; i < p->n; i++) {
		j->steps = judge_room(j->steps, j->n_steps, sizeof(*j->steps));
		j->steps[j->n_steps++] = p->step[i];
	}
	for (unsigned i = 0; i < p->n_choices; i++) {
		struct judge_choice c = p->choice[i];
		uint32_t id = judge_word_add(j, c.text, &c.text);
		c.id = c.id ? id : 0;
		j->choices = judge_room(j->choices, j->n_choices, sizeof(*j->choices));
		j->choices[j->n_choices++] = c;
	}
	j->lines = judge_room(j->lines, j->n_lines, sizeof(*j->lines));
	j->lines[j->n_lines++] = line;
}

static int read_pattern(struct judge *j, struct slice value, const char **ret_wrong)
{
	struct judge_pattern p;

	if (j->n_lines == JUDGE_PATTERNS_MAX)
		return wrong(ret_wrong, "there are too many patterns; 16384 are the most");
	if (judge_pattern_read(&p, value, ret_wrong) < 0)
		return E_SYNTAX;
	keep_pattern(j, &p, value);
	return 0;
}

static int read_text(struct judge *j, struct judge_rule *rule, struct slice value,
		     const char **ret_wrong)
{
	if (rule->n_unless)
		return wrong(ret_wrong, "write every \"text\" before the first \"unless\"");
	if (!rule->n_text)
		rule->first_text = j->n_lines;
	rule->n_text++;
	return read_pattern(j, value, ret_wrong);
}

static int read_unless(struct judge *j, struct judge_rule *rule, struct slice value,
		       const char **ret_wrong)
{
	if (!rule->n_unless)
		rule->first_unless = j->n_lines;
	rule->n_unless++;
	return read_pattern(j, value, ret_wrong);
}

/* ---- the rows ---------------------------------------------------------------------------- */

const struct judge_key judge_keys[] = {
	{ "provider", "who said it, one of these", read_provider },
	{ "code", "the reply code is one of these", read_code },
	{ "status", "the enhanced status is one of these", read_status },
	{ "text", "a pattern in the text; of several one is enough", read_text },
	{ "unless", "a pattern that must not be in the text", read_unless },
	{ "class", "what the reply means", read_class },
	{ "action", "what follows, when it is not what the class says", read_action },
};
const size_t judge_n_keys = ARRAY_LEN(judge_keys);

const char *judge_key_name(size_t i)
{
	return i < ARRAY_LEN(judge_keys) ? judge_keys[i].name : NULL;
}

const char *judge_key_help(size_t i)
{
	return i < ARRAY_LEN(judge_keys) ? judge_keys[i].help : NULL;
}
