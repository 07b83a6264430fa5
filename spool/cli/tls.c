/* spool/cli/tls.c - postern tls explain: how mail to a domain travels, and why. */
#include <stdio.h>

#include "spool/cli/cli.h"

static const struct print_column host_columns[] = {
	{ "host", "HOST", COLUMN_NAME },
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

static const struct print_column sent_columns[] = {
	{ "day_ms", "REPORTED DAY", COLUMN_TIME },
	{ "at_ms", "AT", COLUMN_TIME },
	{ "to", "TO", COLUMN_TEXT },
	{ "done", "DONE", COLUMN_TEXT },
	{ "what", "", COLUMN_TEXT },
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

/* Some of it was said by peers. */
static void show_safe(struct slice text)
{
	struct buf out = { 0 };

	print_safe(&out, text);
	printf("%s", buf_cstr(&out));
	buf_free(&out);
}

static void show_failure(const struct value *f)
{
	static const char *const about[] = { "receiving-mx-hostname", "receiving-ip",
					     "failure-reason-code" };

	printf("    %lld ", (long long)member_int(f, "failed-session-count"));
	show_safe(member_text(f, "result-type"));
	for (size_t i = 0; i < ARRAY_LEN(about); i++) {
		printf("%s", member_text(f, about[i]).n ? "  " : "");
		show_safe(member_text(f, about[i]));
	}
	printf("\n");
}

/* As it will be reported (RFC 8460 section 4.4). */
static void show_day(const struct value *day, const char *when)
{
	const struct value *policies = day ? member_list(day, "policies") : NULL;

	for (uint32_t i = 0; policies && i < policies->count; i++) {
		const struct value *p = &policies->items[i];
		const struct value *policy = value_member(p, SLICE("policy"));
		const struct value *sums = value_member(p, SLICE("summary"));
		const struct value *failures = member_list(p, "failure-details");
		struct slice type = member_text(policy, "policy-type");

		printf("  %s, %.*s: %lld sessions well, %lld failed\n", when, (int)type.n, type.p,
		       (long long)member_int(sums, "total-successful-session-count"),
		       (long long)member_int(sums, "total-failure-session-count"));
		for (uint32_t k = 0; k < failures->count; k++)
			show_failure(&failures->items[k]);
	}
}

static void show_reports(const struct value *reports)
{
	if (!reports)
		return;
	printf("reports %s\n", !member_true(reports, "made")    ? "not made: tlsrpt.from is empty"
			       : member_true(reports, "wanted") ? "wanted by the domain"
								: "not wanted by the domain");
	show_day(value_member(reports, SLICE("due")), "to be reported");
	show_day(value_member(reports, SLICE("today")), "today");
	show_table(value_member(reports, SLICE("sent")), sent_columns, ARRAY_LEN(sent_columns));
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
	show_reports(value_member(v, SLICE("reports")));
}

int cmd_tls_explain(struct cli *c)
{
	OWNED(tree) t = tree_new();
	struct branch *args = tree_map(t);

	branch_str(args, "what", c->args[0]);
	return cli_ask_and_show(c, "tls-explain", t, show_tls);
}
