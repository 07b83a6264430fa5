/* spool/cli/adaptive.c - what the engine has learned of sources at sites, and forgetting it. */
#include <stdio.h>

#include "spool/cli/cli.h"

void cli_print_adaptive(const struct value *rows)
{
	static const struct print_column columns[] = {
		{ "site", "SITE", COLUMN_NAME },
		{ "source", "SOURCE", COLUMN_NAME },
		{ "open", "OPEN", COLUMN_NUMBER },
		{ "connections", "MAY HAVE", COLUMN_NUMBER },
		{ "per_hour", "PER HOUR", COLUMN_NUMBER },
		{ "since_ms", "SINCE", COLUMN_TIME },
		{ "closed_until_ms", "CLOSED UNTIL", COLUMN_TIME },
		{ "reply", "BECAUSE", COLUMN_LONG },
	};

	print_table(rows, columns, ARRAY_LEN(columns));
}

static void show_learned(const struct value *v)
{
	const struct value *rows = member_list(v, "adaptive");

	cli_print_adaptive(rows);
	if (member_int(v, "more"))
		print_more("sources at sites", rows->count, "--max");
}

int cmd_adaptive(struct cli *c)
{
	OWNED(tree) t = tree_new();

	branch_int(tree_map(t), "max", (int64_t)c->max);
	return cli_ask_and_show(c, "adaptive", t, show_learned);
}

static void show_forgotten(const struct value *v)
{
	printf("forgotten: %lld sources\n", (long long)member_int(v, "forgotten"));
}

int cmd_adaptive_forget(struct cli *c)
{
	OWNED(tree) t = tree_new();
	struct branch *b = tree_map(t);

	branch_str(b, "what", c->args[0]);
	if (c->source)
		branch_str(b, "source", c->source);
	return cli_ask_and_show(c, "adaptive-forget", t, show_forgotten);
}
