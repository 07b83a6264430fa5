/* spool/cli/rules.c - what replies mean: asks the rules themselves, not an engine. */
#include <stdio.h>

#include "base/file.h"
#include "message/judge/score.h"
#include "spool/cli/cli.h"

enum { TABLE_MAX = 64 * 1024 * 1024, SHOWN = 72 };

/* The shipped rules behind the file named, or behind the operator's. */
static int load(const char *path, bool must, struct judge **ret)
{
	char error[JUDGE_ERROR_MAX];

	if (judge_load(ret, path, must, error) == 0)
		return EXIT_DONE;
	(void)fprintf(stderr, "postern: %s\n", error);
	return EXIT_BAD_USAGE;
}

static int load_own(struct cli *c, struct judge **ret)
{
	return load(c->rules_path, strcmp(c->rules_path, JUDGE_DEFAULT_FILE) != 0, ret);
}

static void answer(const struct judgement *j, struct tree *t)
{
	struct branch *b = tree_map(t);
	struct buf text = { 0 };

	branch_str(b, "class", judge_class_name(j->class));
	branch_bool(b, "hard", j->hard);
	judge_action_show(j->action, &text);
	branch_slice(b, "action", buf_data(&text));
	if (j->named_s)
		branch_int(b, "retry_s", j->named_s);
	branch_slice(b, "rule", j->rule);
	buf_clear(&text);
	if (j->line)
		buf_putf(&text, "%s:%u", j->file, j->line);
	else
		buf_put(&text, SLICE("no rule fits"));
	branch_slice(b, "at", buf_data(&text));
	branch_str(b, "meaning", judge_class_help(j->class));
	buf_free(&text);
}

/* The words of rule files, from the tables that read them. */
int cmd_rules_words(struct cli *c)
{
	OWNED(tree) t = tree_new();
	struct branch *rows = branch_list(tree_map(t), "words"), *b;
	static const struct print_column columns[] = { { "kind", "KIND", COLUMN_TEXT },
						       { "word", "WORD", COLUMN_TEXT },
						       { "meaning", "MEANING", COLUMN_LONG } };

	for (unsigned i = 0; i < JUDGE_CLASSES; i++) {
		b = branch_map(rows, NULL);
		branch_str(b, "kind", "class");
		branch_str(b, "word", judge_class_name(i));
		branch_str(b, "meaning", judge_class_help(i));
	}
	for (unsigned i = 0; i < JUDGE_ACTIONS; i++) {
		b = branch_map(rows, NULL);
		branch_str(b, "kind", "action");
		branch_str(b, "word", judge_action_name(i));
		branch_str(b, "meaning", judge_action_help(i));
	}
	for (size_t i = 0; judge_key_name(i); i++) {
		b = branch_map(rows, NULL);
		branch_str(b, "kind", "key");
		branch_str(b, "word", judge_key_name(i));
		branch_str(b, "meaning", judge_key_help(i));
	}
	if (c->json)
		print_json(tree_value(t));
	else
		print_table(value_member(tree_value(t), SLICE("words")), columns,
			    ARRAY_LEN(columns));
	return EXIT_DONE;
}

int cmd_rules_explain(struct cli *c)
{
	OWNED(judge) j = NULL;
	OWNED(tree) t = tree_new();
	struct judge_reply reply;
	struct judgement called;
	int r = load_own(c, &j);

	if (r != EXIT_DONE)
		return r;
	if (!c->code && !c->status && !c->text) {
		(void)fprintf(stderr, "postern: give a reply with --code, --status or --text\n");
		return EXIT_BAD_USAGE;
	}
	judge_score_ask(&reply, slice_str(c->code), slice_str(c->status), slice_str(c->text),
			slice_str(c->provider));
	judge_reply(j, &reply, &called);
	answer(&called, t);
	if (c->json)
		print_json(tree_value(t));
	else
		print_pairs(tree_value(t));
	return EXIT_DONE;
}

static void print_difference(void *context UNUSED, const struct judge_row *row,
			     const struct judgement *called)
{
	struct buf line = { 0 };

	buf_putf(&line, "%s called %s, %s (%.*s, %s:%u): ", row->hard ? "hard" : "soft",
		 called->hard ? "hard" : "soft", judge_class_name(called->class),
		 (int)called->rule.n, called->rule.p, called->file, called->line);
	print_safe(&line, slice_of(row->whole.p, MIN_OF(row->whole.n, (size_t)SHOWN)));
	(void)puts(buf_cstr(&line));
	buf_free(&line);
}

static void print_score(struct cli *c, const struct judge *j, const struct judge_score *s)
{
	OWNED(tree) t = tree_new();
	struct branch *b = tree_map(t);
	struct buf line = { 0 };

	branch_int(b, "rules", judge_rules(j));
	branch_int(b, "rows", s->n);
	branch_int(b, "recall_permille", judge_score_recall(s));
	branch_int(b, "precision_permille", judge_score_precision(s));
	branch_int(b, "agreement_permille", judge_score_share(s->same, s->n));
	branch_int(b, "class_rows", s->classes);
	branch_int(b, "class_permille", judge_score_share(s->same_class, s->classes));
	judge_score_show(s, &line);
	if (c->json)
		print_json(tree_value(t));
	else
		(void)printf("replies: %s\n", buf_cstr(&line));
	buf_free(&line);
}

static int test_table(struct cli *c, const struct judge *j, const char *path)
{
	char error[JUDGE_ERROR_MAX];
	struct judge_score score;
	struct buf text = { 0 };
	int r = file_read(path, TABLE_MAX, &text);

	if (r < 0)
		(void)snprintf(error, sizeof(error), "%s: %s", path, err_text(r));
	else
		r = judge_score(j, buf_data(&text), path, c->json ? NULL : print_difference, NULL,
				&score, error);
	if (r < 0)
		(void)fprintf(stderr, "postern: %s\n", error);
	else
		print_score(c, j, &score);
	buf_free(&text);
	return r < 0 ? EXIT_NO : EXIT_DONE;
}

int cmd_rules_test(struct cli *c)
{
	OWNED(judge) j = NULL;
	int r = load(c->args[0], true, &j);

	if (r != EXIT_DONE)
		return r;
	if (c->n_args > 1)
		return test_table(c, j, c->args[1]);
	if (c->json)
		(void)printf("{\"rules\":%u}\n", judge_rules(j));
	else
		(void)printf("%s and the shipped rules: %u rules, no fault\n", c->args[0],
			     judge_rules(j));
	return EXIT_DONE;
}
