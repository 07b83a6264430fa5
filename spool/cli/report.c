/* spool/cli/report.c - what a message that came back says: asks the rules, not an engine. */
#include <stdio.h>

#include "base/file.h"
#include "message/aggregate/aggregate.h"
#include "message/report/returned.h"
#include "spool/cli/cli.h"

enum { FILE_MAX = 64 * 1024 * 1024 };

static void branch_text(struct branch *b, const char *name, struct slice s)
{
	if (s.n)
		branch_slice(b, name, s);
}

static void show_recipient(struct branch *b, const struct returned_recipient *to)
{
	char status[STATUS_TEXT_MAX];

	branch_slice(b, "address", mailbox_text(&to->box));
	if (to->original.n)
		branch_slice(b, "original", mailbox_text(&to->original));
	branch_str(b, "action", returned_action_name(to->action));
	branch_str(b, "status", status_format(to->status, status));
	if (to->code)
		branch_int(b, "code", to->code);
	branch_str(b, "class", judge_class_name(to->class));
	branch_bool(b, "hard", to->hard);
	branch_text(b, "text", to->text);
}

/* A report about a domain is known by its attachment; json then has what it says. */
static const char *kind_of(const struct returned *r, struct buf *json)
{
	struct buf identity = { 0 };
	enum aggregate_kind kind = AGGREGATE_NONE;

	if (r->attachment.n && (r->kind == RETURNED_OTHER || r->kind == RETURNED_AUTO_REPLY ||
				r->kind == RETURNED_DMARC || r->kind == RETURNED_TLSRPT))
		kind = aggregate_read(r->attachment, json, &identity);
	buf_free(&identity);
	if (kind == AGGREGATE_NONE)
		return returned_kind_name(r->kind);
	return returned_kind_name(kind == AGGREGATE_DMARC ? RETURNED_DMARC : RETURNED_TLSRPT);
}

static void show(const struct returned *r, struct tree *t)
{
	struct buf json = { 0 };
	struct branch *b = tree_map(t), *rows, *extra;

	branch_str(b, "kind", kind_of(r, &json));
	if (buf_len(&json))
		branch_slice(b, "report", buf_data(&json));
	buf_free(&json);
	rows = branch_list(b, "recipients");
	for (unsigned i = 0; i < r->n; i++)
		show_recipient(branch_map(rows, NULL), &r->recipients[i]);
	branch_text(b, "returned_to", r->returned_to);
	branch_text(b, "message_id", r->message_id);
	branch_text(b, "envelope_id", r->envelope_id);
	branch_text(b, "return_path", r->return_path);
	branch_text(b, "feedback_type", r->feedback_type);
	if (!r->n_extra)
		return;
	extra = branch_list(b, "fields");
	for (unsigned i = 0; i < r->n_extra; i++) {
		struct branch *row = branch_map(extra, NULL);
		branch_slice(row, "name", r->extra[i].name);
		branch_slice(row, "value", r->extra[i].value);
	}
}

static void print(struct cli *c, const struct returned *r)
{
	static const struct print_column columns[] = {
		{ "address", "ADDRESS", COLUMN_NAME }, { "action", "ACTION", COLUMN_TEXT },
		{ "status", "STATUS", COLUMN_TEXT },   { "class", "CLASS", COLUMN_TEXT },
		{ "hard", "HARD", COLUMN_TEXT },       { "text", "TEXT", COLUMN_LONG }
	};
	OWNED(tree) t = tree_new();
	const struct value *kind;

	show(r, t);
	if (c->json) {
		print_json(tree_value(t));
		return;
	}
	kind = value_member(tree_value(t), SLICE("kind"));
	(void)printf("kind %.*s\n", (int)kind->s.n, kind->s.p);
	if (r->n)
		print_table(value_member(tree_value(t), SLICE("recipients")), columns,
			    ARRAY_LEN(columns));
}

static int read_report(struct cli *c, const struct judge *j)
{
	OWNED(returned) report = NULL;
	struct buf text = { 0 };
	int r = file_read(c->args[0], FILE_MAX, &text);

	if (r < 0) {
		return cli_no_file(c->args[0], r);
	}
	report = returned_read(j, buf_data(&text));
	print(c, report);
	buf_free(&text);
	return EXIT_DONE;
}

int cmd_report_explain(struct cli *c)
{
	OWNED(judge) j = NULL;
	char error[JUDGE_ERROR_MAX];
	bool must = strcmp(c->rules_path, JUDGE_DEFAULT_FILE) != 0;

	if (judge_load(&j, c->rules_path, must, error) < 0) {
		(void)fprintf(stderr, "postern: %s\n", error);
		return EXIT_BAD_USAGE;
	}
	return read_report(c, j);
}
