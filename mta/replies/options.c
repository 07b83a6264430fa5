/* mta/replies/options.c - the option that names the rule file, and the rules that were read. */
#include <pthread.h>
#include <stdio.h>

#include "base/file.h"
#include "mta/replies/replies.h"

struct rules_read {
	unsigned holders;
	char *path;
	struct buf text; /* of the operator's file */
	struct judge *judge;
};

struct replies_options {
	char *path;
	struct rules_read *read;
};

static const struct option rows[] = {
	{ "replies.rules", T_STR, offsetof(struct replies_options, path), 0, 1024,
	  JUDGE_DEFAULT_FILE, true,
	  "Rules that say what replies mean, asked before those that come with the program." },
};

/* The rules that were read last: a reload mostly finds the same text again, and replaced settings
 * stay until the engine ends. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct rules_read *latest;

static void let_go(struct rules_read *r)
{
	if (!r || --r->holders)
		return;
	judge_free(r->judge);
	buf_free(&r->text);
	free(r->path);
	free(r);
}

/* A missing file is none of the operator's rules, unless it was asked for by its name. */
static int read_text(const char *path, struct buf *text, char *error)
{
	int r = file_read(path, JUDGE_FILE_MAX, text);

	if (r == -ENOENT && strcmp(path, JUDGE_DEFAULT_FILE) == 0)
		return 0;
	if (r < 0)
		(void)snprintf(error, OPTION_ERROR_MAX,
			       "%s: cannot be read: %s; make the file readable, or name another "
			       "with replies.rules",
			       path, err_text(r));
	return r < 0 ? E_SYNTAX : 0;
}

static int read_rules(const char *path, struct buf *text, struct rules_read **ret, char *error)
{
	OWNED(judge) j = judge_new();
	int r = buf_len(text) ? judge_read(j, buf_data(text), path, error) : 0;

	if (r == 0)
		r = judge_read_shipped(j, error);
	if (r < 0)
		return r;
	judge_ready(j);
	*ret = must_alloc(sizeof(**ret));
	**ret = (struct rules_read){ .path = must_copy(slice_str(path)),
				     .text = *text,
				     .judge = TAKE(j) };
	*text = (struct buf){ 0 };
	return 0;
}

static bool is_latest(const char *path, const struct buf *text)
{
	return latest && strcmp(latest->path, path) == 0 &&
	       buf_len(text) == buf_len(&latest->text) &&
	       (!buf_len(text) || slice_eq(buf_data(text), buf_data(&latest->text)));
}

static int derive(void *options, const struct settings *all UNUSED, struct option_fault *f)
{
	struct replies_options *o = options;
	struct rules_read *fresh = NULL;
	struct buf text = { 0 };
	int r = read_text(o->path, &text, f->error);

	(void)pthread_mutex_lock(&lock);
	if (r == 0 && !is_latest(o->path, &text)) {
		r = read_rules(o->path, &text, &fresh, f->error);
		if (r == 0) {
			let_go(latest);
			latest = fresh;
			latest->holders = 1;
		}
	}
	if (r == 0) {
		o->read = latest;
		latest->holders++;
	}
	(void)pthread_mutex_unlock(&lock);
	buf_free(&text);
	return r;
}

static void clear(void *options)
{
	struct replies_options *o = options;

	(void)pthread_mutex_lock(&lock);
	let_go(o->read);
	(void)pthread_mutex_unlock(&lock);
	o->read = NULL;
}

const struct option_set replies_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct replies_options),
	.derive = derive,
	.clear = clear,
};

const struct judge *replies_judge(const struct settings *all)
{
	const struct replies_options *o = settings_of(all, &replies_option_set);

	return o->read->judge;
}

const char *replies_path(const struct settings *all)
{
	return ((const struct replies_options *)settings_of(all, &replies_option_set))->path;
}
