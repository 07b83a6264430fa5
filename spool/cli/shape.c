/* spool/cli/shape.c - postern shape: what is in force for whom, and live orders; suspensions. */
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "spool/cli/cli.h"

enum { SHAPE_FILE_MAX = 900 * 1024 };

int cli_ask_and_show(struct cli *c, const char *command, struct tree *args,
		     void (*show)(const struct value *v))
{
	struct value v;
	int r = cli_only_engine(c);

	if (r == 0)
		r = cli_ask(c, command, args, &v);
	if (r < 0)
		return cli_complain(c, r);
	if (c->json)
		print_json(&v);
	else
		show(&v);
	return EXIT_DONE;
}

/* ---- orders ------------------------------------------------------------------------------ */

void cli_put_author(struct branch *args)
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *me = getpwuid(getuid());

	branch_str(args, "author", sudo && *sudo ? sudo : me ? me->pw_name : "somebody");
}

static void say_order(const struct value *v)
{
	struct slice order = member_text(v, "order");

	printf("%.*s is in force\n", (int)order.n, order.p);
}

static void say_undone(const struct value *v)
{
	struct slice order = member_text(v, "order");

	printf("%.*s was taken back\n", (int)order.n, order.p);
}

/* The section, narrowed by the options. */
static void put_section(struct branch *args, const struct cli *c)
{
	struct buf section;

	buf_init(&section, 0);
	buf_put(&section, slice_str(c->args[0]));
	if (c->tenant)
		buf_putf(&section, " tenant %" PRIu64, c->tenant);
	if (c->source)
		buf_putf(&section, " source %s", c->source);
	if (c->pool)
		buf_putf(&section, " pool %s", c->pool);
	branch_slice(args, "what", buf_data(&section));
	buf_free(&section);
}

static int give_order(struct cli *c, struct slice key, struct slice value,
		      void (*say)(const struct value *v))
{
	OWNED(tree) t = tree_new();
	struct branch *args = tree_map(t);

	put_section(args, c);
	branch_slice(args, "key", key);
	branch_slice(args, "value", value);
	cli_put_author(args);
	return cli_ask_and_show(c, "shape-order", t, say);
}

int cmd_shape_set(struct cli *c)
{
	struct slice key, value;

	if (!slice_cut(slice_str(c->args[1]), '=', &key, &value) || !slice_trim(value).n) {
		(void)fprintf(stderr, "postern: expected KEY=VALUE, such as rate=100/s\n");
		return EXIT_BAD_USAGE;
	}
	return give_order(c, slice_trim(key), slice_trim(value), say_order);
}

int cmd_shape_unset(struct cli *c)
{
	return give_order(c, slice_str(c->args[1]), SLICE(""), say_undone);
}

static void show_orders(const struct value *v)
{
	static const struct print_column columns[] = {
		{ "section", "SECTION", COLUMN_NAME }, { "key", "KEY", COLUMN_NAME },
		{ "value", "VALUE", COLUMN_TEXT },     { "files", "FILES SAY", COLUMN_TEXT },
		{ "author", "AUTHOR", COLUMN_LONG },
	};
	const struct value *orders = value_member(v, SLICE("orders"));

	if (orders && orders->count)
		print_table(orders, columns, ARRAY_LEN(columns));
	else
		printf("no live orders: the files are in force as they are\n");
}

int cmd_shape_diff(struct cli *c)
{
	OWNED(tree) t = tree_new();

	(void)tree_map(t);
	return cli_ask_and_show(c, "shape-orders", t, show_orders);
}

/* ---- looking ----------------------------------------------------------------------------- */

static void show_values(const struct value *v)
{
	static const struct print_column columns[] = {
		{ "section", "SECTION", COLUMN_NAME },
		{ "key", "KEY", COLUMN_NAME },
		{ "value", "VALUE", COLUMN_TEXT },
		{ "from", "FROM", COLUMN_LONG },
	};
	const struct value *values = value_member(v, SLICE("values"));

	if (values && values->count)
		print_table(values, columns, ARRAY_LEN(columns));
}

int cmd_shape_show(struct cli *c)
{
	OWNED(tree) t = tree_new();

	(void)tree_map(t);
	return cli_ask_and_show(c, "shape-show", t, show_values);
}

static void show_explained(const struct value *v)
{
	static const struct print_column columns[] = {
		{ "key", "KEY", COLUMN_NAME },
		{ "of", "OF", COLUMN_TEXT },
		{ "value", "VALUE", COLUMN_TEXT },
		{ "from", "FROM", COLUMN_LONG },
	};
	struct slice provider = member_text(v, "provider");
	const struct value *mx = value_member(v, SLICE("mx"));
	const struct value *adaptive = value_member(v, SLICE("adaptive"));
	const struct value *values = value_member(v, SLICE("values"));

	printf("provider %.*s\n", provider.n ? (int)provider.n : 4,
	       provider.n ? provider.p : "none");
	for (uint32_t i = 0; mx && i < mx->count; i++)
		printf("mail host %.*s\n", (int)mx->items[i].s.n, mx->items[i].s.p);
	if (!mx || !mx->count)
		printf("its mail hosts are not known: no mail for it is queued\n");
	if (values)
		print_table(values, columns, ARRAY_LEN(columns));
	if (adaptive && adaptive->count) {
		printf("held back there now:\n");
		cli_print_adaptive(adaptive);
	}
}

int cmd_shape_explain(struct cli *c)
{
	OWNED(tree) t = tree_new();
	struct branch *args = tree_map(t);

	branch_str(args, "what", c->args[0]);
	if (c->tenant)
		branch_int(args, "tenant", (int64_t)c->tenant);
	if (c->source)
		branch_str(args, "source", c->source);
	if (c->pool)
		branch_str(args, "pool", c->pool);
	return cli_ask_and_show(c, "shape-explain", t, show_explained);
}

static void say_good(const struct value *v)
{
	(void)v;
	printf("the file is good\n");
}

int cmd_shape_test(struct cli *c)
{
	OWNED(tree) t = tree_new();
	struct branch *args = tree_map(t);
	struct buf text;
	int r;

	buf_init(&text, 0);
	r = file_read(c->args[0], SHAPE_FILE_MAX, &text);
	if (r < 0) {
		buf_free(&text);
		return cli_no_file(c->args[0], r);
	}
	branch_str(args, "what", c->args[0]);
	branch_slice(args, "text", buf_data(&text));
	buf_free(&text);
	r = cli_ask_and_show(c, "shape-test", t, say_good);
	return r;
}
