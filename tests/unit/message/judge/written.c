/* Rules in the form of their file; see the header. */
#include "tests/unit/message/judge/written.h"

#include "message/judge/inside.h"

static void show_range(struct buf *out, unsigned from, unsigned to)
{
	if (from == to)
		buf_putf(out, "%u", from);
	else
		buf_putf(out, "%u-%u", from, to);
}

static void show_code(const struct judge_rule *rule, struct buf *out)
{
	for (unsigned i = 0; i < rule->n_codes; i++) {
		const struct judge_codes *c = &rule->codes[i];
		buf_put(out, i ? SLICE(", ") : SLICE("code = "));
		if (c->from)
			show_range(out, c->from, c->to);
		else
			buf_put(out, c->to ? SLICE("any") : SLICE("none"));
	}
	buf_put(out, rule->n_codes ? SLICE("\n") : SLICE(""));
}

static void show_part(struct buf *out, uint16_t part)
{
	if (part == JUDGE_X)
		buf_put(out, SLICE("x."));
	else
		buf_putf(out, "%u.", part);
}

static void show_status(const struct judge_rule *rule, struct buf *out)
{
	for (unsigned i = 0; i < rule->n_statuses; i++) {
		const struct judge_statuses *s = &rule->statuses[i];
		buf_put(out, i ? SLICE(", ") : SLICE("status = "));
		if (!s->class) {
			buf_put(out, SLICE("none"));
			continue;
		}
		show_part(out, s->class);
		show_part(out, s->subject);
		show_range(out, s->detail, s->detail_end);
	}
	buf_put(out, rule->n_statuses ? SLICE("\n") : SLICE(""));
}

static void show_provider(const struct judge_rule *rule, struct buf *out)
{
	for (unsigned i = 0; i < rule->n_providers; i++) {
		buf_put(out, i ? SLICE(", ") : SLICE("provider = "));
		buf_put(out, rule->providers[i]);
	}
	buf_put(out, rule->n_providers ? SLICE("\n") : SLICE(""));
}

static void show_lines(const struct judge *j, uint32_t first, uint32_t n, const char *key,
		       struct buf *out)
{
	for (uint32_t i = first; i < first + n; i++)
		buf_putf(out, "%s = %.*s\n", key, (int)j->lines[i].source.n, j->lines[i].source.p);
}

static void show_class(const struct judge_rule *rule, struct buf *out)
{
	buf_putf(out, "class = %s\n", judge_class_name(rule->class));
}

static void show_action(const struct judge_rule *rule, struct buf *out)
{
	if (!rule->action_given)
		return;
	buf_put(out, SLICE("action = "));
	judge_action_show(rule->action, out);
	buf_put(out, SLICE("\n"));
}

void written_rules(const struct judge *j, struct buf *out)
{
	for (uint32_t i = 0; i < j->n_rules; i++) {
		const struct judge_rule *rule = &j->rules[i];

		buf_putf(out, "[%.*s]\n", (int)rule->name.n, rule->name.p);
		show_provider(rule, out);
		show_code(rule, out);
		show_status(rule, out);
		show_lines(j, rule->first_text, rule->n_text, "text", out);
		show_lines(j, rule->first_unless, rule->n_unless, "unless", out);
		show_class(rule, out);
		show_action(rule, out);
		buf_put(out, SLICE("\n"));
	}
}
