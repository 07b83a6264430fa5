/* message/judge/read.c - rule files.
 *
 *	file    = *( section / key / *WSP [ "#" comment ] LF )
 *	section = "[" name "]" LF
 *	key     = word *WSP "=" *WSP value LF            ('#' as in base/options.h)
 *
 * The values of the keys are in keys.c. */
#include <stdarg.h>
#include <stdio.h>

#include "base/encode.h"
#include "message/judge/inside.h"

#define BLANKS " \t\r"

struct rule_reader {
	struct judge *j;
	const char *file;
	unsigned line;
	bool in_rule;
	char *error;
};

static int fail(const struct rule_reader *r, unsigned line, const char *format, ...) PRINTF(3, 4);
static int fail(const struct rule_reader *r, unsigned line, const char *format, ...)
{
	int n = snprintf(r->error, JUDGE_ERROR_MAX, "%.200s:%u: ", r->file, line);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(r->error + n, JUDGE_ERROR_MAX - (size_t)n, format, args);
	va_end(args);
	return E_SYNTAX;
}

static struct slice without_comment(struct slice line)
{
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] == '#' && (i == 0 || memchr(BLANKS, line.p[i - 1], 3)))
			return slice_of(line.p, i);
	return line;
}

static struct judge_rule *last_rule(const struct rule_reader *r)
{
	return &r->j->rules[r->j->n_rules - 1];
}

static int end_rule(const struct rule_reader *r)
{
	const struct judge_rule *rule;
	int n;

	if (!r->in_rule)
		return 0;
	rule = last_rule(r);
	n = (int)rule->name.n;
	if (!rule->class_given)
		return fail(r, rule->line, "[%.*s] has no class; add a line \"class = ...\"", n,
			    rule->name.p);
	if (!rule->n_codes && !rule->n_statuses && !rule->n_text)
		return fail(r, rule->line,
			    "[%.*s] would match every reply; add code, status or text", n,
			    rule->name.p);
	return 0;
}

static bool is_name(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!s.p[i] || !strchr("abcdefghijklmnopqrstuvwxyz0123456789.-", s.p[i]))
			return false;
	return s.n > 0 && s.n <= JUDGE_NAME_MAX;
}

static int begin_rule(struct rule_reader *r, struct slice name)
{
	struct judge *j = r->j;

	for (uint32_t i = 0; i < j->n_rules; i++)
		if (j->rules[i].file == r->file && slice_eq(j->rules[i].name, name))
			return fail(r, r->line,
				    "[%.*s] is there already, in line %u; choose "
				    "another name",
				    (int)name.n, name.p, j->rules[i].line);
	if (j->n_rules == JUDGE_RULES_MAX)
		return fail(r, r->line, "there are too many rules; %d are the most",
			    JUDGE_RULES_MAX);
	j->rules = judge_room(j->rules, j->n_rules, sizeof(*j->rules));
	j->rules[j->n_rules++] =
	    (struct judge_rule){ .name = name, .file = r->file, .line = r->line };
	r->in_rule = true;
	return 0;
}

static int take_section(struct rule_reader *r, struct slice name)
{
	int e = end_rule(r);

	if (e < 0)
		return e;
	name = slice_trim(name);
	if (!is_name(name))
		return fail(r, r->line,
			    "a name has small letters, digits, '.' and '-', and at most %d of them",
			    JUDGE_NAME_MAX);
	return begin_rule(r, name);
}

static int bad_value(const struct rule_reader *r, struct slice key, struct slice value,
		     const char *expected)
{
	return fail(r, r->line, "%.*s: \"%.*s\": %s", (int)key.n, key.p,
		    (int)MIN_OF(value.n, (size_t)80), value.p, expected);
}

static int take_key(struct rule_reader *r, struct slice key, struct slice value)
{
	const char *expected = "";

	if (!r->in_rule)
		return fail(r, r->line,
			    "a key stands before the first rule; begin one with "
			    "[name]");
	for (size_t i = 0; i < judge_n_keys; i++) {
		if (!slice_eq(key, slice_str(judge_keys[i].name)))
			continue;
		if (judge_keys[i].read(r->j, last_rule(r), value, &expected) < 0)
			return bad_value(r, key, value, expected);
		return 0;
	}
	return fail(r, r->line, "\"%.*s\" is no key; postern-rules(5) lists them",
		    (int)MIN_OF(key.n, (size_t)40), key.p);
}

static int take_line(struct rule_reader *r, struct slice line)
{
	struct slice key, value;

	line = slice_trim_set(without_comment(line), BLANKS);
	if (!line.n)
		return 0;
	if (!utf8_valid(line) || memchr(line.p, 0, line.n))
		return fail(r, r->line, "the line is not UTF-8; save the file as UTF-8");
	if (line.p[0] == '[' && line.p[line.n - 1] == ']')
		return take_section(r, slice_of(line.p + 1, line.n - 2));
	if (!slice_cut(line, '=', &key, &value))
		return fail(r, r->line, "expected \"[name]\" or \"key = value\"");
	return take_key(r, slice_trim_set(key, BLANKS), slice_trim_set(value, BLANKS));
}

int judge_read(struct judge *j, struct slice text, const char *name_for_errors, char *error)
{
	struct judge_file *file = &j->files[j->n_files++];
	struct rule_reader r = { .j = j, .error = error };
	struct slice rest;
	int e = 0;

	assert(j->n_files <= ARRAY_LEN(j->files) && !j->ready);
	file->name = must_copy(slice_str(name_for_errors));
	file->text = must_copy(slice_of(text.p, MIN_OF(text.n, (size_t)JUDGE_FILE_MAX)));
	r.file = file->name;
	if (text.n > JUDGE_FILE_MAX)
		return fail(&r, 1, "the file is larger than %d bytes", JUDGE_FILE_MAX);
	rest = slice_of(file->text, text.n);
	while (e == 0 && rest.n) {
		r.line++;
		e = take_line(&r, slice_take(&rest, '\n'));
	}
	return e < 0 ? e : end_rule(&r);
}
