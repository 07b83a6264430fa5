/* spool/cli/route.c - postern route: smart hosts, and whether they take us. */
#include <stdio.h>

#include "spool/cli/cli.h"

static void print_routes(const struct value *v)
{
	static const struct print_column columns[] = {
		{ "name", "ROUTE", COLUMN_NAME },  { "host", "HOST", COLUMN_NAME },
		{ "port", "PORT", COLUMN_NUMBER }, { "tls", "TLS", COLUMN_TEXT },
		{ "auth", "AUTH", COLUMN_TEXT },   { "state", "STATE", COLUMN_TEXT },
		{ "for", "FOR", COLUMN_LONG },     { "problem", "PROBLEM", COLUMN_LONG },
	};

	print_table(member_list(v, "routes"), columns, ARRAY_LEN(columns));
}

int cmd_route_list(struct cli *c)
{
	OWNED(tree) t = tree_new();

	(void)tree_map(t);
	return cli_ask_and_show(c, "routes", t, print_routes);
}

static void print_test(const struct value *v)
{
	static const char *const rows[] = { "host", "ip", "tls", "auth", "text" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct slice text = member_text(v, rows[i]);

		if (text.n)
			printf("%-6s %.*s\n", strcmp(rows[i], "text") == 0 ? "result" : rows[i],
			       (int)text.n, text.p);
	}
}

/* EXIT_NO: it would not take mail. */
int cmd_route_test(struct cli *c)
{
	OWNED(tree) t = tree_new();
	struct value v;
	int r = cli_only_engine(c);

	branch_str(tree_map(t), "key", c->args[0]);
	if (r == 0)
		r = cli_ask(c, "route-test", t, &v);
	if (r < 0)
		return cli_complain(c, r);
	if (c->json)
		print_json(&v);
	else
		print_test(&v);
	return member_true(&v, "good") ? EXIT_DONE : EXIT_NO;
}
