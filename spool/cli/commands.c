/* spool/cli/commands.c - what each command asks and shows. */
#include <stdio.h>

#include "spool/cli/cli.h"
#include "spool/cli/style.h"

#define MORE "--max N shows up to N"

/* ---- asking ------------------------------------------------------------------------------ */

static int exit_status(int err)
{
	switch (err) {
	case -ECONNREFUSED:
	case E_TIMEOUT:
	case E_FULL:
		return EXIT_AGAIN;
	case E_UNKNOWN:
		return EXIT_NOT_FOUND;
	case E_DENIED:
	case -EACCES:
	case -EPERM:
		return EXIT_DENIED;
	case E_EXISTS:
	case E_CONFLICT:
		return EXIT_CONFLICT;
	case E_SYNTAX:
		return EXIT_BAD_USAGE;
	default:
		return EXIT_NO;
	}
}

int cli_complain(struct cli *c, int err)
{
	if (!*c->error)
		(void)snprintf(c->error, sizeof(c->error), "%s", err_text(err));
	(void)fprintf(stderr, "postern: %s\n", c->error);
	return exit_status(err);
}

struct tree *cli_arguments(const struct cli *c)
{
	struct tree *t = tree_new();
	struct branch *b = tree_map(t);

	char what[1024] = "";
	size_t n = 0;

	/* The words of a selector. */
	for (unsigned i = 0; i < c->n_args && n < sizeof(what) - 1; i++)
		n += (size_t)MAX_OF(
		    snprintf(what + n, sizeof(what) - n, "%s%s", i ? " " : "", c->args[i]), 0);
	if (c->n_args)
		branch_str(b, "what", what);
	branch_str(b, "by", c->by);
	branch_int(b, "max", (int64_t)c->max);
	branch_int(b, "from", (int64_t)c->from);
	if (c->reason)
		branch_str(b, "reason", c->reason);
	if (c->pool)
		branch_str(b, "pool", c->pool);
	return t;
}

/* Those who name a spool want the files. */
int cli_no_file(const char *path, int err)
{
	(void)fprintf(stderr, "postern: %s: %s\n", path, err_text(err));
	return err == -ENOENT ? EXIT_NOT_FOUND : EXIT_NO;
}

int cli_only_engine(struct cli *c)
{
	if (!c->spool)
		return 0;
	(void)snprintf(c->error, sizeof(c->error),
		       "only a running engine can answer this; leave --spool out");
	return -ECONNREFUSED;
}

int cli_ask_engine(struct cli *c, const char *command, struct value *ret)
{
	OWNED(tree) args = cli_arguments(c);

	int r = cli_only_engine(c);

	return r < 0 ? r : cli_ask(c, command, args, ret);
}

/* The engine when it runs, else the spool. `*made` holds the answer when it came from the files. */
int cli_ask_or_read(struct cli *c, const char *command,
		    int (*offline)(struct cli *c, struct tree *out), struct tree **made,
		    struct value *ret)
{
	int r = cli_ask_engine(c, command, ret);

	if (r != -ECONNREFUSED)
		return r;
	*made = tree_new();
	*c->error = '\0';
	branch_str(tree_map(*made), "source", "spool");
	r = offline(c, *made);
	*ret = *tree_value(*made);
	return r;
}

/* ---- looking ----------------------------------------------------------------------------- */

int cmd_status(struct cli *c)
{
	OWNED(tree) made = NULL;
	struct value v;
	int r = cli_ask_or_read(c, "status", offline_status, &made, &v);

	if (r < 0)
		return cli_complain(c, r);
	if (c->json)
		print_json(&v);
	else
		print_pairs(&v);
	return EXIT_DONE;
}

static void print_queue(const struct cli *c, const struct value *v)
{
	const bool by_domain = strcmp(c->by, "domain") == 0,
		   by_campaign = strcmp(c->by, "campaign") == 0;
	struct print_column columns[11];
	size_t n = 0;

	const char *key = by_campaign ? "tenant" : c->by;
	char heading[16];

	for (n = 0; key[n] && n < sizeof(heading) - 1; n++)
		heading[n] = key[n] >= 'a' && key[n] <= 'z' ? (char)(key[n] - 32) : key[n];
	heading[n] = '\0';
	n = 0;
	columns[n++] =
	    (struct print_column){ key, heading,
				   strcmp(key, "tenant") == 0 ? COLUMN_NUMBER : COLUMN_NAME };
	if (by_campaign)
		columns[n++] = (struct print_column){ "campaign", "CAMPAIGN", COLUMN_NUMBER };
	columns[n++] = (struct print_column){ "queued", "QUEUED", COLUMN_NUMBER };
	columns[n++] = (struct print_column){ "deferred", "DEFERRED", COLUMN_NUMBER };
	columns[n++] = (struct print_column){ "held", "HELD", COLUMN_NUMBER };
	columns[n++] = (struct print_column){ "in_flight", "IN FLIGHT", COLUMN_NUMBER };
	columns[n++] = (struct print_column){ "oldest_ms", "OLDEST", COLUMN_AGE };
	columns[n++] = (struct print_column){ "next_ms", "NEXT TRY", COLUMN_TIME };
	columns[n++] = (struct print_column){ "attempts", "TRIES", COLUMN_NUMBER };
	if (by_domain)
		columns[n++] = (struct print_column){ "reply", "LAST REPLY", COLUMN_TEXT };
	print_table(member_list(v, "rows"), columns, n);
	printf("%lld queued in %lld groups\n", (long long)member_int(v, "queued"),
	       (long long)member_int(v, "groups"));
	if (member_list(v, "rows")->count < member_int(v, "groups"))
		print_more("groups", member_list(v, "rows")->count, MORE);
	if (member_true(v, "partial"))
		printf("not all recipients were looked at: ages and tries may be others\n");
}

int cmd_queue(struct cli *c)
{
	OWNED(tree) made = NULL;
	struct value v;
	int r = cli_ask_or_read(c, "queue", offline_queue, &made, &v);

	if (r < 0)
		return cli_complain(c, r);
	if (c->json)
		print_json(&v);
	else
		print_queue(c, &v);
	return EXIT_DONE;
}

static void print_show(const struct value *v)
{
	static const struct print_column queued[] = {
		{ "job", "JOB", COLUMN_NAME },          { "row", "ROW", COLUMN_NUMBER },
		{ "address", "ADDRESS", COLUMN_NAME },  { "state", "STATE", COLUMN_TEXT },
		{ "attempts", "TRIES", COLUMN_NUMBER }, { "next_ms", "NEXT TRY", COLUMN_TIME },
		{ "tenant", "TENANT", COLUMN_NUMBER },  { "campaign", "CAMPAIGN", COLUMN_NUMBER },
	};
	const struct value *job = value_member(v, SLICE("job"));

	if (job)
		print_pairs(job);
	if (member_list(v, "recipients")->count)
		print_table(member_list(v, "recipients"), queued, ARRAY_LEN(queued));
	if (member_list(v, "history")->count)
		history_events(member_list(v, "history"));
	if (member_true(v, "more"))
		print_more("recipients", member_list(v, "recipients")->count, MORE);
	if (member_true(v, "more_history"))
		print_more("events", member_list(v, "history")->count, MORE);
}

/* ID or ID:ROW: these alone the log can be searched for. */
static bool is_id(const char *what)
{
	struct id128 unused;

	return id_parse(slice_of(what, strcspn(what, ":")), &unused) == 0;
}

/* A job that has left the queue is looked for in the log. */
int cmd_show(struct cli *c)
{
	OWNED(tree) made = NULL;
	struct value v;
	int r;

	if (c->transcript)
		return history_transcript(c);
	if (c->headers || c->content)
		return history_message(c);
	r = cli_ask_or_read(c, "show", offline_show, &made, &v);

	if (r == E_UNKNOWN && !made && is_id(c->args[0])) {
		*c->error = '\0';
		made = tree_new();
		branch_str(tree_map(made), "source", "spool");
		r = offline_show(c, made);
		v = *tree_value(made);
	}
	if (r < 0)
		return cli_complain(c, r);
	if (c->json)
		print_json(&v);
	else
		print_show(&v);
	return EXIT_DONE;
}

/* A report that only a running engine can give. */
static int ask_and_print(struct cli *c, const char *command, void (*print)(const struct value *v))
{
	struct value v;
	int r = cli_ask_engine(c, command, &v);

	if (r < 0)
		return cli_complain(c, r);
	if (c->json)
		print_json(&v);
	else
		print(&v);
	return EXIT_DONE;
}

/* A text of its own, which programs read as it is; a document only for those who ask for one. */
static int ask_for_text(struct cli *c, const char *command, void (*print)(const struct value *v))
{
	c->json = c->json && style.chosen;
	return ask_and_print(c, command, print);
}

/* For people what would end it stands behind the reason. */
static void put_reason(struct branch *row, const struct value *reason)
{
	struct slice release = member_text(reason, "release");
	struct buf text = { 0 };

	for (uint32_t i = 0; i < reason->count; i++)
		if (!slice_eq(reason->members[i].name, SLICE("text"))) {
			char name[32];
			(void)slice_copy(name, sizeof(name), reason->members[i].name);
			branch_value(row, name, &reason->members[i].value);
		}
	buf_put(&text, member_text(reason, "text"));
	if (release.n)
		buf_putf(&text, " - %.*s", (int)release.n, release.p);
	branch_slice(row, "text", buf_data(&text));
	buf_free(&text);
}

static void print_why(const struct value *v)
{
	static const struct print_column columns[] = {
		{ "kind", "REASON", COLUMN_TEXT },
		{ "since_ms", "SINCE", COLUMN_TIME },
		{ "until_ms", "UNTIL", COLUMN_TIME },
		{ "text", "WHAT BINDS, AND WHAT ENDS IT", COLUMN_LONG },
	};
	const struct value *reasons = member_list(v, "reasons");
	OWNED(tree) t = tree_new();
	struct branch *rows = branch_list(tree_map(t), "reasons");

	for (uint32_t i = 0; i < reasons->count; i++)
		put_reason(branch_map(rows, NULL), &reasons->items[i]);
	print_table(member_list(tree_value(t), "reasons"), columns, ARRAY_LEN(columns));
	if (member_true(v, "partial"))
		printf("not all could be looked at in time\n");
}

int cmd_why(struct cli *c)
{
	return ask_and_print(c, "why", print_why);
}

static void print_rules(const struct value *v)
{
	static const struct print_column columns[] = {
		{ "kind", "KIND", COLUMN_TEXT },         { "order", "ORDER", COLUMN_NUMBER },
		{ "selector", "SELECTOR", COLUMN_NAME }, { "until_ms", "UNTIL", COLUMN_TIME },
		{ "reason", "REASON", COLUMN_LONG },
	};

	print_table(member_list(v, "rules"), columns, ARRAY_LEN(columns));
}

int cmd_rules(struct cli *c)
{
	return ask_and_print(c, "rules", print_rules);
}

static void print_senders(const struct value *v)
{
	static const struct print_column tenants[] = {
		{ "tenant", "TENANT", COLUMN_NUMBER },
		{ "domains", "DOMAINS", COLUMN_NUMBER },
		{ "suppressed", "SUPPRESSED", COLUMN_NUMBER },
		{ "suppressed_bulk", "BULK ONLY", COLUMN_NUMBER },
	};
	static const struct print_column domains[] = {
		{ "domain", "DOMAIN", COLUMN_NAME },
		{ "tenant", "TENANT", COLUMN_NUMBER },
		{ "pool", "POOL", COLUMN_TEXT },
		{ "from", "FROM", COLUMN_TEXT },
	};
	const struct value *known = value_member(v, SLICE("known"));

	if (known)
		print_pairs(known);
	print_table(member_list(v, "tenants"), tenants, ARRAY_LEN(tenants));
	if (member_int(v, "more_tenants"))
		print_more("tenants", member_list(v, "tenants")->count, MORE);
	print_table(member_list(v, "senders"), domains, ARRAY_LEN(domains));
	if (member_int(v, "more_senders"))
		print_more("domains", member_list(v, "senders")->count, MORE);
}

int cmd_senders(struct cli *c)
{
	return ask_and_print(c, "senders", print_senders);
}

static void print_consumers(const struct value *v)
{
	static const struct print_column columns[] = {
		{ "name", "NAME", COLUMN_NAME },
		{ "cursor_lsn", "CURSOR", COLUMN_NUMBER },
	};

	print_table(member_list(v, "consumers"), columns, ARRAY_LEN(columns));
	printf("the log holds positions %lld to %lld\n", (long long)member_int(v, "oldest_lsn"),
	       (long long)member_int(v, "durable_lsn"));
}

int cmd_consumers(struct cli *c)
{
	return ask_and_print(c, "consumers", print_consumers);
}

static void print_metrics(const struct value *v)
{
	struct slice text = member_text(v, "text");

	(void)!fwrite(text.p, 1, text.n, stdout);
}

int cmd_metrics(struct cli *c)
{
	return ask_for_text(c, "metrics", print_metrics);
}

static void print_config(const struct value *v)
{
	const struct value *options = member_list(v, "options");

	for (uint32_t i = 0; i < options->count; i++) {
		struct slice name = member_text(&options->items[i], "name"),
			     value = member_text(&options->items[i], "value");
		printf("%.*s = %.*s\n", (int)name.n, name.p, (int)value.n, value.p);
	}
}

int cmd_config(struct cli *c)
{
	return ask_for_text(c, "config", print_config);
}

static void print_reload(const struct value *v)
{
	struct slice restart = member_text(v, "needs_restart");

	printf("the configuration was read again\n");
	if (restart.n)
		printf("%.*s has changed, which takes effect only at a restart\n", (int)restart.n,
		       restart.p);
}

int cmd_reload(struct cli *c)
{
	return ask_and_print(c, "reload", print_reload);
}

int cmd_flush_dns(struct cli *c)
{
	return ask_and_print(c, "flush-dns", print_pairs);
}

/* ---- proofs ------------------------------------------------------------------------------ */

static int prove(struct cli *c, int (*offline)(struct cli *c, struct tree *out))
{
	OWNED(tree) made = tree_new();
	int r = offline(c, made);

	if (r < 0)
		return cli_complain(c, r);
	if (c->json)
		print_json(tree_value(made));
	else
		print_pairs(tree_value(made));
	return r ? EXIT_NO : EXIT_DONE;
}

int cmd_verify(struct cli *c)
{
	return prove(c, offline_verify);
}

int cmd_audit(struct cli *c)
{
	return prove(c, offline_audit);
}
