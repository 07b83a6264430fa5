/* spool/cli/warmup.c - postern warmup: new sources, plan against fact, and orders on plans. */
#include <stdio.h>

#include "spool/cli/cli.h"

static void show_pairs(const struct value *v)
{
	static const struct print_column columns[] = {
		{ "source", "SOURCE", COLUMN_NAME }, { "provider", "PROVIDER", COLUMN_NAME },
		{ "day", "DAY", COLUMN_NUMBER },     { "of", "OF", COLUMN_NUMBER },
		{ "plan", "PLAN", COLUMN_NUMBER },   { "sent", "SENT", COLUMN_NUMBER },
		{ "state", "STATE", COLUMN_TEXT },   { "since_ms", "SINCE", COLUMN_TIME },
		{ "next_ms", "NEXT", COLUMN_TIME },  { "reason", "REASON", COLUMN_LONG },
	};
	const struct value *rows = member_list(v, "warmup");

	print_table(rows, columns, ARRAY_LEN(columns));
	if (member_int(v, "more"))
		print_more("sources at providers", rows->count, "--max");
}

static void show_plans(const struct value *v)
{
	static const struct print_column columns[] = {
		{ "source", "SOURCE", COLUMN_NAME },
		{ "provider", "PROVIDER", COLUMN_NAME },
		{ "plan", "PLAN", COLUMN_LONG },
		{ "author", "FROM", COLUMN_LONG },
	};

	if (member_list(v, "plans")->count)
		print_table(member_list(v, "plans"), columns, ARRAY_LEN(columns));
	if (member_list(v, "warmup")->count)
		show_pairs(v);
}

/* Of each provider: plan against fact, day by day. */
static void show_days(const struct value *v)
{
	static const struct print_column columns[] = {
		{ "date", "DATE", COLUMN_TEXT },
		{ "day", "DAY", COLUMN_NUMBER },
		{ "plan", "PLAN", COLUMN_NUMBER },
		{ "sent", "SENT", COLUMN_NUMBER },
		{ "delivered", "DELIVERED", COLUMN_NUMBER },
		{ "deferred", "DEFERRED", COLUMN_NUMBER },
		{ "blocked", "BLOCKED", COLUMN_NUMBER },
		{ "bounced", "BOUNCED", COLUMN_NUMBER },
		{ "returned", "RETURNED", COLUMN_NUMBER },
		{ "complaints", "COMPLAINTS", COLUMN_NUMBER },
		{ "held", "HELD", COLUMN_TEXT },
	};
	const struct value *rows = member_list(v, "warmup");

	show_plans(v);
	for (uint32_t i = 0; i < rows->count; i++) {
		struct slice provider = member_text(&rows->items[i], "provider");
		printf("\n%.*s\n", (int)provider.n, provider.p);
		print_table(member_list(&rows->items[i], "days"), columns, ARRAY_LEN(columns));
	}
}

static int show(struct cli *c, void (*print)(const struct value *v))
{
	OWNED(tree) t = tree_new();
	struct branch *args = tree_map(t);

	if (c->n_args > 0)
		branch_str(args, "source", c->args[0]);
	if (c->n_args > 1)
		branch_str(args, "what", c->args[1]);
	branch_int(args, "max", (int64_t)c->max);
	return cli_ask_and_show(c, "warmup", t, print);
}

int cmd_warmup(struct cli *c)
{
	return show(c, show_plans);
}

int cmd_warmup_show(struct cli *c)
{
	return show(c, show_days);
}

/* ---- orders ------------------------------------------------------------------------------ */

static void say(const struct value *v)
{
	struct slice rule = member_text(v, "rule");

	printf("%.*s: done\n", (int)rule.n, rule.p);
}

static int order(struct cli *c, const char *command, const char *plan)
{
	OWNED(tree) t = tree_new();
	struct branch *args = tree_map(t);

	branch_str(args, "source", c->args[0]);
	if (c->n_args > 1)
		branch_str(args, "what", c->args[1]);
	branch_str(args, "value", plan);
	if (c->reason)
		branch_str(args, "reason", c->reason);
	cli_put_author(args);
	return cli_ask_and_show(c, command, t, say);
}

int cmd_warmup_set(struct cli *c)
{
	char plan[1024];
	int n = 0;

	for (unsigned i = 2; i < c->n_args; i++) {
		n += snprintf(plan + n, sizeof(plan) - (size_t)n, "%s%s", i > 2 ? " " : "",
			      c->args[i]);
		if (n >= (int)sizeof(plan)) {
			(void)snprintf(c->error, sizeof(c->error), "the plan is too long");
			return cli_complain(c, E_SYNTAX);
		}
	}
	return order(c, "warmup-set", plan);
}

int cmd_warmup_unset(struct cli *c)
{
	return order(c, "warmup-unset", "");
}

int cmd_warmup_pause(struct cli *c)
{
	return order(c, "warmup-pause", "");
}

int cmd_warmup_resume(struct cli *c)
{
	return order(c, "warmup-resume", "");
}
