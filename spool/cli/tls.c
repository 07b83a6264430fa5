/* spool/cli/tls.c - postern tls explain: how mail to a domain travels, and why. */
#include <stdio.h>

#include "spool/cli/cli.h"

static const struct print_column host_columns[] = {
	{ "host", "HOST", COLUMN_TEXT },
	{ "signed", "SIGNED", COLUMN_TEXT },
	{ "dane", "DANE", COLUMN_TEXT },
	{ "named_by_mta_sts", "BY MTA-STS", COLUMN_TEXT },
	{ "policy", "POLICY", COLUMN_TEXT },
	{ "tls", "TLS", COLUMN_TEXT },
	{ "certificate", "CERTIFICATE", COLUMN_TEXT },
	{ "refusal", "", COLUMN_TEXT },
};
static const struct print_column result_columns[] = {
	{ "session_ms", "LAST SESSION", COLUMN_TIME },
	{ "tls_version", "TLS", COLUMN_TEXT },
	{ "tls_policy", "POLICY", COLUMN_TEXT },
	{ "tls_verified_by", "VERIFIED BY", COLUMN_TEXT },
	{ "problem_ms", "LAST PROBLEM", COLUMN_TIME },
	{ "problem", "", COLUMN_TEXT },
};

static void show_records(const struct value *host)
{
	const struct value *records = value_member(host, SLICE("tlsa"));
	struct slice at = member_text(host, "tlsa_at");

	for (uint32_t i = 0; records && i < records->count; i++)
		printf("TLSA at %.*s: %.*s\n", (int)at.n, at.p, (int)records->items[i].s.n,
		       records->items[i].s.p);
}

static void show_table(const struct value *rows, const struct print_column *columns, size_t n)
{
	if (rows && rows->count)
		print_table(rows, columns, n);
}

static void show_tls(const struct value *v)
{
	const struct value *hosts = value_member(v, SLICE("hosts"));
	const struct value *sts = value_member(v, SLICE("mta_sts"));
	struct slice word = member_text(v, "word");

	printf("tls %.*s\n", (int)word.n, word.p);
	if (sts && member_text(sts, "mode").n + member_text(sts, "fault").n) {
		printf("MTA-STS\n");
		print_pairs(sts);
	} else {
		printf("MTA-STS none\n");
	}
	for (uint32_t i = 0; hosts && i < hosts->count; i++)
		show_records(&hosts->items[i]);
	show_table(hosts, host_columns, ARRAY_LEN(host_columns));
	show_table(value_member(v, SLICE("results")), result_columns, ARRAY_LEN(result_columns));
}

int cmd_tls_explain(struct cli *c)
{
	OWNED(tree) t = tree_new();
	struct branch *args = tree_map(t);

	branch_str(args, "what", c->args[0]);
	return cli_ask_and_show(c, "tls-explain", t, show_tls);
}
