/* spool/cli/replay.c - runs a spool's log again under other shapes and rules, and says what would
 * have come of it.  The spool may be in use; nothing is written. */
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "mta/rerun/rerun.h"
#include "spool/cli/cli.h"

enum { SHAPE_FILE_MAX = 1024 * 1024, EVENTS_AT_ONCE = 4096 };

/* ---- since when -------------------------------------------------------------------------- */

static bool take_ago(const char *text, int64_t *ret_ms)
{
	static const struct {
		char unit;
		int64_t ms;
	} units[] = { { 's', 1000 }, { 'm', 60000 }, { 'h', 3600000 }, { 'd', 86400000 } };
	size_t n = strlen(text);
	uint64_t v;

	for (size_t i = 0; n > 1 && i < ARRAY_LEN(units); i++)
		if (text[n - 1] == units[i].unit &&
		    slice_u64(slice_of(text, n - 1), 100000, &v) == 0) {
			*ret_ms = clock_wall_ms() - (int64_t)v * units[i].ms;
			return true;
		}
	return false;
}

int cli_time(const char *text, int64_t *ret_ms)
{
	static const char *const forms[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d" };

	if (take_ago(text, ret_ms))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct tm tm = { .tm_isdst = -1 };
		const char *end = strptime(text, forms[i], &tm);
		if (!end || (*end && strcmp(end, "Z") != 0))
			continue;
		*ret_ms = (int64_t)(*end ? timegm(&tm) : mktime(&tm)) * 1000;
		return *ret_ms > 0 ? 0 : E_SYNTAX;
	}
	return E_SYNTAX;
}

/* ---- under what -------------------------------------------------------------------------- */

static int add_file(struct shapes *s, const char *path)
{
	char error[OPTION_ERROR_MAX] = "";
	struct buf text = { 0 };
	int r = file_read(path, SHAPE_FILE_MAX, &text);

	if (r < 0)
		(void)snprintf(error, sizeof(error), "%s: %s", path, err_text(r));
	else
		r = shapes_parse(s, buf_data(&text), path, error);
	buf_free(&text);
	if (r < 0)
		(void)fprintf(stderr, "postern: %s\n", error);
	return r;
}

/* What is built in, and the file that is named, or those of the configuration. */
static int load_shapes(const struct cli *c, struct shapes *s)
{
	struct slice list = slice_str(c->shape_paths);
	char error[OPTION_ERROR_MAX];
	int r = rerun_builtin(s, error);

	if (r == 0 && c->shape)
		return add_file(s, c->shape);
	while (r == 0 && list.n) {
		struct slice path = slice_trim(slice_take(&list, ','));
		OWNED_MEM char *copy = must_copy(path);
		r = path.n ? add_file(s, copy) : 0;
	}
	return r;
}

static int load_rules(const struct cli *c, struct judge **ret)
{
	const char *path = c->rules ? c->rules : c->rules_path;
	char error[JUDGE_ERROR_MAX];
	int r = judge_load(ret, path, c->rules || strcmp(path, JUDGE_DEFAULT_FILE) != 0, error);

	if (r < 0)
		(void)fprintf(stderr, "postern: %s\n", error);
	return r;
}

/* ---- the log ----------------------------------------------------------------------------- */

static int give(void *arg, const struct event *e)
{
	return rerun_event(arg, e);
}

/* Every durable event from the place on. */
static int read_log(struct cli *c, struct spool *sp, struct rerun *s)
{
	lsn_t at = c->from ? c->from : spool_oldest(sp), next = at;
	int r;

	do {
		at = next;
		r = spool_events(sp, at, EVENTS_AT_ONCE, give, s, &next);
	} while (r >= 0 && next != at);
	if (r == E_LIMIT)
		(void)snprintf(c->error, sizeof(c->error),
			       "the log holds more than %d outcomes; begin later, with --from",
			       RERUN_REPLIES_MAX);
	else if (r < 0)
		(void)snprintf(c->error, sizeof(c->error), "the log cannot be read from %llu: %s",
			       (unsigned long long)at, err_text(r));
	return r;
}

static void print_changes(const struct value *v)
{
	static const struct print_column columns[] = {
		{ "replies", "REPLIES", COLUMN_NUMBER }, { "from", "RECORDED AS", COLUMN_TEXT },
		{ "to", "WOULD BE", COLUMN_TEXT },       { "rule", "RULE", COLUMN_TEXT },
		{ "example", "SUCH AS", COLUMN_LONG },
	};

	printf("\n%lld of %lld replies would mean something else\n",
	       (long long)member_int(v, "replies_that_change"),
	       (long long)member_int(v, "replies"));
	if (member_int(v, "replies_that_change"))
		print_table(member_list(v, "changes"), columns, ARRAY_LEN(columns));
}

static void print_report(const struct value *v)
{
	static const struct print_column columns[] = {
		{ "provider", "PROVIDER", COLUMN_NAME },
		{ "recipients", "FOR", COLUMN_NUMBER },
		{ "attempts", "SENT", COLUMN_NUMBER },
		{ "recorded_attempts", "(WAS)", COLUMN_NUMBER },
		{ "deferred", "DEFERRED", COLUMN_NUMBER },
		{ "recorded_deferred", "(WAS)", COLUMN_NUMBER },
		{ "bounced", "BOUNCED", COLUMN_NUMBER },
		{ "recorded_bounced", "(WAS)", COLUMN_NUMBER },
		{ "open", "OPEN", COLUMN_NUMBER },
		{ "suspensions", "SUSPENDED", COLUMN_NUMBER },
		{ "walls", "WALLS", COLUMN_NUMBER },
		{ "drained_ms", "DRAINED", COLUMN_TIME },
		{ "recorded_drained_ms", "(WAS)", COLUMN_TIME },
	};

	print_table(member_list(v, "providers"), columns, ARRAY_LEN(columns));
	print_changes(v);
}

int cmd_shape_replay(struct cli *c)
{
	OWNED(shapes) shapes = shapes_new();
	OWNED(judge) judge = NULL;
	OWNED(spool) sp = NULL;
	OWNED(rerun) s = NULL;
	OWNED(tree) t = tree_new();
	int r;

	if (load_shapes(c, shapes) < 0 || load_rules(c, &judge) < 0)
		return EXIT_BAD_USAGE;
	r = offline_open(c, &sp);
	s = rerun_new(shapes, judge, c->from_ms);
	if (r == 0)
		r = read_log(c, sp, s);
	if (r < 0)
		return cli_complain(c, r);
	rerun_run(s);
	rerun_report(s, tree_map(t));
	if (c->json)
		print_json(tree_value(t));
	else
		print_report(tree_value(t));
	return EXIT_DONE;
}
