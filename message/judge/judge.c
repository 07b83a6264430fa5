/* message/judge/judge.c - asks the rules about a reply. */
#include "message/judge/judge.h"

#include <stdio.h>

#include "base/file.h"
#include "message/judge/inside.h"
#include "message/judge/shipped.h"

struct judge *judge_new(void)
{
	struct judge *j = must_alloc(sizeof(*j));

	map_init(&j->words);
	return j;
}

struct judge *judge_free(struct judge *j)
{
	struct map_link *l;

	if (!j)
		return NULL;
	while ((l = map_any(&j->words)) != NULL) {
		struct judge_entry *e = container_of(l, struct judge_entry, link);
		map_remove(&j->words, l);
		free((char *)e->word.p);
		free(e);
	}
	map_free(&j->words);
	for (unsigned i = 0; i < j->n_files; i++) {
		free(j->files[i].name);
		free(j->files[i].text);
	}
	free(j->rules);
	free(j->lines);
	free(j->steps);
	free(j->choices);
	free(j->start);
	free(j->by_word);
	free(j);
	return NULL;
}

void judge_ready(struct judge *j)
{
	judge_index(j);
	j->ready = true;
}

int judge_read_shipped(struct judge *j, char *error)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < judge_shipped_n; i++)
		r = judge_read(j, slice_of(judge_shipped[i].text, judge_shipped[i].n),
			       judge_shipped[i].name, error);
	return r;
}

static int read_own(struct judge *j, const char *path, bool must, char *error)
{
	struct buf text = { 0 };
	int r = file_read(path, JUDGE_FILE_MAX, &text);

	if (r == 0)
		r = judge_read(j, buf_data(&text), path, error);
	else if (r == -ENOENT && !must)
		r = 0;
	else
		(void)snprintf(error, JUDGE_ERROR_MAX,
			       "%s: cannot be read: %s; make the file readable or name another",
			       path, err_text(r));
	buf_free(&text);
	return r;
}

int judge_load(struct judge **ret, const char *path, bool must, char *error)
{
	OWNED(judge) j = judge_new();
	int r = path ? read_own(j, path, must, error) : 0;

	if (r == 0)
		r = judge_read_shipped(j, error);
	if (r < 0)
		return r;
	judge_ready(j);
	*ret = TAKE(j);
	return 0;
}

/* ---- a reply ----------------------------------------------------------------------------- */

/* What the rules are asked about. */
struct asked {
	const struct judge *j;
	uint16_t code;
	struct status status;
	struct slice provider;
	const struct judge_words *words;
	uint64_t look[JUDGE_PATTERNS_MAX / 64]; /* lines whose rarest word is there */
};

static bool code_fits(const struct judge_rule *rule, const struct asked *a)
{
	for (unsigned i = 0; i < rule->n_codes; i++)
		if (a->code >= rule->codes[i].from && a->code <= rule->codes[i].to)
			return true;
	return rule->n_codes == 0;
}

static bool status_fits(const struct judge_rule *rule, const struct asked *a)
{
	for (unsigned i = 0; i < rule->n_statuses; i++) {
		const struct judge_statuses *s = &rule->statuses[i];
		if (!s->class || !status_given(a->status)) {
			if (!s->class && !status_given(a->status))
				return true;
			continue;
		}
		if ((s->class == JUDGE_X || s->class == a->status.class) &&
		    (s->subject == JUDGE_X || s->subject == a->status.subject) &&
		    a->status.detail >= s->detail && a->status.detail <= s->detail_end)
			return true;
	}
	return rule->n_statuses == 0;
}

static bool provider_fits(const struct judge_rule *rule, const struct asked *a)
{
	for (unsigned i = 0; i < rule->n_providers; i++)
		if (slice_eq_nocase(rule->providers[i], a->provider))
			return true;
	return rule->n_providers == 0;
}

static bool some_line_matches(const struct asked *a, uint32_t first, uint32_t n)
{
	for (uint32_t i = first; i < first + n; i++) {
		const struct judge_line *line = &a->j->lines[i];
		struct judge_matcher m = { a->j->steps + line->first_step,
					   a->j->choices + line->first_choice, line->n,
					   line->from_start, line->to_end };
		if (line->indexed && !(a->look[i / 64] >> i % 64 & 1))
			continue;
		if (judge_pattern_matches(&m, a->words))
			return true;
	}
	return false;
}

static bool rule_fits(const struct judge_rule *rule, const struct asked *a)
{
	return code_fits(rule, a) && status_fits(rule, a) && provider_fits(rule, a) &&
	       (!rule->n_text || some_line_matches(a, rule->first_text, rule->n_text)) &&
	       (!rule->n_unless || !some_line_matches(a, rule->first_unless, rule->n_unless));
}

static void look_up_words(struct asked *a, struct judge_words *words)
{
	const struct judge *j = a->j;

	memset(a->look, 0, (j->n_lines / 64 + 1) * sizeof(a->look[0]));
	for (unsigned i = 0; i < words->n; i++) {
		struct judge_entry *e = judge_word(j, judge_words_at(words, i));
		words->word[i].id = e ? e->id : 0;
		for (uint32_t k = e ? j->start[e->id] : 0; e && k < j->start[e->id + 1]; k++)
			a->look[j->by_word[k] / 64] |= (uint64_t)1 << j->by_word[k] % 64;
	}
}

static bool says_something(struct status s)
{
	return status_given(s) && (s.subject || s.detail);
}

/* X.0.0 says nothing: the text may say more. */
static struct status status_of(const struct judge_reply *reply, const struct judge_words *words)
{
	if (!says_something(reply->status) && says_something(words->status))
		return words->status;
	return status_given(reply->status) ? reply->status : words->status;
}

/* A 5xx; or without a code whatever no 4 says is for now. */
static bool is_for_good(const struct judge_reply *reply, struct status status)
{
	return reply->code ? reply->code >= 500 : status.class != 4;
}

static const struct judge_rule *first_fit(const struct asked *a)
{
	for (uint32_t i = 0; i < a->j->n_rules; i++)
		if (rule_fits(&a->j->rules[i], a))
			return &a->j->rules[i];
	return NULL;
}

static uint32_t named_time(struct judge_action action, const struct judge_words *words)
{
	uint32_t s = action.kind == JUDGE_RETRY_NAMED ? judge_words_named_time(words) : 0;

	return s ? MIN_OF(MAX_OF(s, action.min_s), action.max_s) : 0;
}

void judge_reply(const struct judge *j, const struct judge_reply *reply, struct judgement *ret)
{
	struct judge_words words;
	struct asked a = { .j = j, .code = reply->code, .provider = reply->provider };
	const struct judge_rule *rule;
	bool for_good;

	assert(j->ready);
	judge_words_read(&words, reply->text);
	look_up_words(&a, &words);
	a.words = &words;
	a.status = status_of(reply, &words);
	for_good = is_for_good(reply, a.status);
	rule = first_fit(&a);
	*ret = (struct judgement){ .class = rule ? rule->class : JUDGE_OTHER,
				   .rule = rule ? rule->name : slice_of("", 0),
				   .file = rule ? rule->file : "",
				   .line = rule ? rule->line : 0 };
	ret->hard = for_good && a.status.class != 4 && judge_class_permanent(ret->class);
	ret->action =
	    rule && rule->action_given ? rule->action : judge_class_action(ret->class, for_good);
	ret->named_s = named_time(ret->action, &words);
}

unsigned judge_rules(const struct judge *j)
{
	return j->n_rules;
}
