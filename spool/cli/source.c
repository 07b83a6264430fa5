/* spool/cli/source.c - postern sources and source: the addresses that mail leaves from, and orders
 * on them. */
#include <stdio.h>

#include "spool/cli/cli.h"

static void print_sources(const struct value *v)
{
	static const struct print_column columns[] = {
		{ "pool", "POOL", COLUMN_NAME },          { "address", "ADDRESS", COLUMN_NAME },
		{ "ehlo", "EHLO", COLUMN_TEXT },          { "weight", "WEIGHT", COLUMN_NUMBER },
		{ "connections", "OPEN", COLUMN_NUMBER }, { "messages", "MESSAGES", COLUMN_NUMBER },
		{ "state", "STATE", COLUMN_TEXT },        { "since_ms", "SINCE", COLUMN_TIME },
		{ "retry_ms", "NEXT LOOK", COLUMN_TIME }, { "reason", "REASON", COLUMN_LONG },
	};
	static const struct print_column fallbacks[] = {
		{ "pool", "POOL", COLUMN_NAME },
		{ "from", "LEAVES FROM", COLUMN_TEXT },
		{ "since_ms", "SINCE", COLUMN_TIME },
		{ "site", "AT", COLUMN_LONG },
	};

	print_table(member_list(v, "sources"), columns, ARRAY_LEN(columns));
	if (member_list(v, "fallbacks")->count)
		print_table(member_list(v, "fallbacks"), fallbacks, ARRAY_LEN(fallbacks));
}

int cmd_sources(struct cli *c)
{
	OWNED(tree) t = tree_new();

	(void)tree_map(t);
	return cli_ask_and_show(c, "sources", t, print_sources);
}

static void print_findings(const struct value *v)
{
	static const struct print_column columns[] = {
		{ "what", "WHAT", COLUMN_TEXT },
		{ "result", "RESULT", COLUMN_TEXT },
		{ "text", "FINDING", COLUMN_LONG },
	};
	const struct value *rows = member_list(v, "findings");

	print_table(rows, columns, ARRAY_LEN(columns));
	for (uint32_t i = 0; i < rows->count; i++) {
		struct slice advice = member_text(&rows->items[i], "advice");
		struct slice what = member_text(&rows->items[i], "what");
		if (advice.n)
			printf("%.*s: %.*s\n", (int)what.n, what.p, (int)advice.n, advice.p);
	}
}

/* EXIT_NO: something is bad. */
int cmd_source_check(struct cli *c)
{
	OWNED(tree) t = tree_new();
	struct value v;
	int r = cli_only_engine(c);

	branch_str(tree_map(t), "source", c->args[0]);
	if (r == 0)
		r = cli_ask(c, "source-check", t, &v);
	if (r < 0)
		return cli_complain(c, r);
	if (c->json)
		print_json(&v);
	else
		print_findings(&v);
	return member_true(&v, "good") ? EXIT_DONE : EXIT_NO;
}

/* ---- orders ------------------------------------------------------------------------------ */

static void say_rule(const struct value *v)
{
	struct slice rule = member_text(v, "rule");

	printf("%.*s: done\n", (int)rule.n, rule.p);
}

static int order(struct cli *c, const char *command, struct tree *t, struct branch *args)
{
	if (c->reason)
		branch_str(args, "reason", c->reason);
	cli_put_author(args);
	return cli_ask_and_show(c, command, t, say_rule);
}

int cmd_source_add(struct cli *c)
{
	OWNED(tree) t = tree_new();
	struct branch *args = tree_map(t);

	branch_str(args, "pool", c->args[0]);
	branch_str(args, "source", c->args[1]);
	branch_str(args, "what", c->args[2]);
	if (c->weight)
		branch_str(args, "value", c->weight);
	if (c->via)
		branch_str(args, "text", c->via);
	return order(c, "source-add", t, args);
}

int cmd_source_remove(struct cli *c)
{
	OWNED(tree) t = tree_new();
	struct branch *args = tree_map(t);

	branch_str(args, "pool", c->args[0]);
	branch_str(args, "source", c->args[1]);
	return order(c, "source-remove", t, args);
}

static int order_state(struct cli *c, const char *command)
{
	OWNED(tree) t = tree_new();
	struct branch *args = tree_map(t);

	branch_str(args, "source", c->args[0]);
	return order(c, command, t, args);
}

int cmd_source_drain(struct cli *c)
{
	return order_state(c, "source-drain");
}

int cmd_source_disable(struct cli *c)
{
	return order_state(c, "source-disable");
}

int cmd_source_enable(struct cli *c)
{
	return order_state(c, "source-enable");
}
