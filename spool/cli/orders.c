/* spool/cli/orders.c - orders on selectors: shown first, carried out with --yes; and the search. */
#include <stdio.h>

#include "base/address.h"
#include "spool/cli/cli.h"

#define MORE "--max N shows up to N"

static const struct print_column recipients[] = {
	{ "job", "JOB", COLUMN_NAME },
	{ "row", "ROW", COLUMN_NUMBER },
	{ "address", "ADDRESS", COLUMN_NAME },
	{ "state", "STATE", COLUMN_TEXT },
	{ "attempts", "TRIES", COLUMN_NUMBER },
	{ "class", "CLASS", COLUMN_TEXT },
	{ "next_ms", "NEXT TRY", COLUMN_TIME },
	{ "tenant", "TENANT", COLUMN_NUMBER },
	{ "campaign", "CAMPAIGN", COLUMN_NUMBER },
};

/* ---- find -------------------------------------------------------------------------------- */

static void print_found(const struct value *v)
{
	const struct value *rows = member_list(v, "recipients");
	long long count = (long long)member_int(v, "count");

	if (rows->count)
		print_table(rows, recipients, ARRAY_LEN(recipients));
	printf("%s%lld recipients, %lld of them held\n",
	       member_true(v, "partial") ? "time was over: at least " : "", count,
	       (long long)member_int(v, "held"));
	if ((long long)rows->count < count)
		print_more("recipients", rows->count, MORE);
}

int cmd_find(struct cli *c)
{
	struct value v;
	int r;

	if (!c->bounded)
		c->max = 20;
	r = cli_ask_engine(c, "find", &v);
	if (r < 0)
		return cli_complain(c, r);
	if (c->json)
		print_json(&v);
	else
		print_found(&v);
	return member_int(&v, "count") ? EXIT_DONE : EXIT_NOT_FOUND;
}

/* ---- giving orders ----------------------------------------------------------------------- */

static void put_text(struct branch *args, const char *name, const char *text)
{
	if (text)
		branch_str(args, name, text);
}

static void print_preview(const struct value *v)
{
	const struct value *sample = member_list(v, "sample");

	if (sample->count)
		print_table(sample, recipients, ARRAY_LEN(recipients));
	printf("%s%lld recipients match \"", member_true(v, "partial") ? "at least " : "",
	       (long long)member_int(v, "count"));
	struct slice selector = member_text(v, "selector");
	printf("%.*s\"; nothing was changed: add --yes\n", (int)selector.n, selector.p);
}

static void print_order(const struct value *v, const char *done)
{
	printf("%lld recipients %s\n", (long long)member_int(v, "count"), done);
	if (member_int(v, "order"))
		printf("order %lld; postern orders show %lld\n", (long long)member_int(v, "order"),
		       (long long)member_int(v, "order"));
	if (member_int(v, "left"))
		printf("%lld were being delivered; the answer of their server decides\n",
		       (long long)member_int(v, "left"));
	if (member_int(v, "held"))
		printf("%lld stay held by other orders; see postern orders list\n",
		       (long long)member_int(v, "held"));
}

static int order(struct cli *c, const char *command, const char *done)
{
	OWNED(tree) t = cli_arguments(c);
	struct branch *args = tree_map(t);
	struct value v;
	int r;

	if (!c->yes)
		branch_bool(args, "preview", true);
	put_text(args, "until", c->until);
	put_text(args, "grace", c->grace);
	put_text(args, "rate", c->rate);
	put_text(args, "text", c->text);
	branch_int(args, "connections", (int64_t)c->connections);
	cli_put_author(args);
	r = cli_only_engine(c);
	if (r == 0)
		r = cli_ask(c, command, t, &v);
	if (r < 0)
		return cli_complain(c, r);
	if (c->json)
		print_json(&v);
	else if (c->yes)
		print_order(&v, done);
	else
		print_preview(&v);
	return EXIT_DONE;
}

int cmd_hold(struct cli *c)
{
	return order(c, "hold", "held");
}

int cmd_move(struct cli *c)
{
	if (!c->pool) {
		(void)fprintf(stderr, "postern: move needs --pool NAME; see postern sources\n");
		return EXIT_BAD_USAGE;
	}
	return order(c, "move", "moved");
}

int cmd_release(struct cli *c)
{
	return order(c, "release", "released");
}

int cmd_retry(struct cli *c)
{
	return order(c, "retry", "are tried now");
}

int cmd_cancel(struct cli *c)
{
	return order(c, "cancel", "cancelled");
}

int cmd_bounce(struct cli *c)
{
	return order(c, "bounce", "held until the grace period is over, then bounced");
}

int cmd_cap(struct cli *c)
{
	return order(c, "cap", "under the cap now");
}

static int order_source(struct cli *c, const char *command, const char *done)
{
	OWNED(tree) t = tree_new();
	struct branch *args = tree_map(t);
	struct value v;
	int r;

	if (!c->yes)
		branch_bool(args, "preview", true);
	put_text(args, "source", c->args[0]);
	put_text(args, "what", c->args[1]);
	put_text(args, "value", c->duration);
	put_text(args, "reason", c->reason);
	cli_put_author(args);
	r = cli_only_engine(c);
	if (r == 0)
		r = cli_ask(c, command, t, &v);
	if (r < 0)
		return cli_complain(c, r);
	if (c->json)
		print_json(&v);
	else if (c->yes)
		printf("%s at %s: %s\n", c->args[0], c->args[1], done);
	else
		print_preview(&v);
	return EXIT_DONE;
}

/* SOURCE WHERE or tenant/N WHERE, as the engine itself suspends; else it is a selector. */
static bool names_source(const struct cli *c)
{
	struct ip ip;

	if (c->n_args != 2)
		return false;
	if (strncmp(c->args[0], "tenant/", 7) == 0)
		return !strchr(c->args[1], '/'); /* a provider or a site, by its bare name */
	return strcmp(c->args[0], "*") == 0 || ip_parse(slice_str(c->args[0]), &ip) == 0;
}

int cmd_suspend(struct cli *c)
{
	return names_source(c) ? order_source(c, "suspend-source", "suspended")
			       : order(c, "suspend", "suspended");
}

int cmd_resume(struct cli *c)
{
	return names_source(c) ? order_source(c, "resume-source", "resumed")
			       : order(c, "resume", "resumed");
}

/* ---- orders that were given -------------------------------------------------------------- */

static void print_orders(const struct value *v)
{
	static const struct print_column columns[] = {
		{ "order", "ORDER", COLUMN_NUMBER },     { "kind", "KIND", COLUMN_TEXT },
		{ "selector", "SELECTOR", COLUMN_NAME }, { "state", "STATE", COLUMN_TEXT },
		{ "count", "COUNT", COLUMN_NUMBER },     { "at_ms", "GIVEN", COLUMN_TIME },
		{ "until_ms", "UNTIL", COLUMN_TIME },    { "author", "AUTHOR", COLUMN_TEXT },
		{ "reason", "REASON", COLUMN_LONG },
	};

	print_table(member_list(v, "orders"), columns, ARRAY_LEN(columns));
}

int cmd_orders_list(struct cli *c)
{
	OWNED(tree) t = cli_arguments(c);

	return cli_ask_and_show(c, "orders", t, print_orders);
}

static int about_one(struct cli *c, const char *command)
{
	OWNED(tree) t = tree_new();
	struct branch *args = tree_map(t);
	uint64_t id;

	if (slice_u64(slice_str(c->args[0]), INT64_MAX, &id) < 0) {
		(void)fprintf(stderr, "postern: \"%s\" is no number of an order\n", c->args[0]);
		return EXIT_BAD_USAGE;
	}
	branch_int(args, "order", (int64_t)id);
	cli_put_author(args);
	return cli_ask_and_show(c, command, t, print_pairs);
}

int cmd_orders_show(struct cli *c)
{
	return about_one(c, "order-show");
}

int cmd_orders_undo(struct cli *c)
{
	return about_one(c, "order-undo");
}
