/* spool/cli/tenant.c - postern tenants, tenant and campaign: limits and weights, and live orders on
 * them. */
#include <stdio.h>

#include "spool/cli/cli.h"

static void print_tenants(const struct value *v)
{
	static const struct print_column columns[] = {
		{ "tenant", "TENANT", COLUMN_NUMBER },  { "queued", "QUEUED", COLUMN_NUMBER },
		{ "queue_limit", "OF", COLUMN_TEXT },   { "rate", "RATE", COLUMN_TEXT },
		{ "connections", "CONN", COLUMN_TEXT }, { "weight", "WEIGHT", COLUMN_NUMBER },
		{ "author", "ORDER OF", COLUMN_TEXT },  { "reason", "REASON", COLUMN_LONG },
	};
	static const struct print_column campaigns[] = {
		{ "campaign", "CAMPAIGN", COLUMN_NUMBER },
		{ "weight", "WEIGHT", COLUMN_NUMBER },
		{ "author", "ORDER OF", COLUMN_TEXT },
		{ "reason", "REASON", COLUMN_LONG },
	};

	print_table(member_list(v, "tenants"), columns, ARRAY_LEN(columns));
	if (member_list(v, "campaigns")->count)
		print_table(member_list(v, "campaigns"), campaigns, ARRAY_LEN(campaigns));
}

int cmd_tenants(struct cli *c)
{
	OWNED(tree) t = tree_new();

	(void)tree_map(t);
	return cli_ask_and_show(c, "tenants", t, print_tenants);
}

/* ---- orders ------------------------------------------------------------------------------ */

static void say_limits(const struct value *v)
{
	struct slice limits = member_text(v, "limits"), rule = member_text(v, "rule");

	(void)slice_strip(&rule, SLICE("limit/"));
	printf("%.*s: orders say %.*s\n", (int)rule.n, rule.p, limits.n ? (int)limits.n : 7,
	       limits.n ? limits.p : "nothing");
}

static int order(struct cli *c, const char *command, const char *kind, struct slice words)
{
	OWNED(tree) t = tree_new();
	struct branch *args = tree_map(t);
	char what[300];

	(void)snprintf(what, sizeof(what), "%s/%.200s", kind, c->args[0]);
	branch_str(args, "what", what);
	if (words.n)
		branch_slice(args, "value", words);
	if (c->reason)
		branch_str(args, "reason", c->reason);
	cli_put_author(args);
	return cli_ask_and_show(c, command, t, say_limits);
}

int cmd_tenant_limit(struct cli *c)
{
	struct buf words;
	int r;

	buf_init(&words, 0);
	for (unsigned i = 1; i < c->n_args; i++)
		buf_putf(&words, "%s%s", i > 1 ? " " : "", c->args[i]);
	r = order(c, "tenant-limit", "tenant", buf_data(&words));
	buf_free(&words);
	return r;
}

int cmd_tenant_undo(struct cli *c)
{
	return order(c, "tenant-undo", "tenant", slice_of("", 0));
}

int cmd_campaign_weight(struct cli *c)
{
	char words[64];

	(void)snprintf(words, sizeof(words), "weight=%.50s", c->args[1]);
	return order(c, "tenant-limit", "campaign", slice_str(words));
}

int cmd_campaign_undo(struct cli *c)
{
	return order(c, "tenant-undo", "campaign", slice_of("", 0));
}
