/* mta/opening.c - the spool of the engine, and why it is refused. */
#include "mta/opening.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "spool/folder.h"

enum { PATH_ROOM = 2048 };

static const char *path_of(const struct spool_settings *c, const char *file, char *buf)
{
	(void)snprintf(buf, PATH_ROOM, "%s%s%s", c->dir, *file ? "/" : "", file);
	return buf;
}

static void say_refused(const struct spool_settings *c, const struct spool_recovery *found, int err)
{
	char path[PATH_ROOM], command[PATH_ROOM];

	if (*found->bad_segment)
		(void)snprintf(command, sizeof(command), "postern spool repair --spool %s", c->dir);
	else
		(void)snprintf(command, sizeof(command), "postern-mta --new-spool");
	if (err == E_CORRUPT)
		log_error("spool.refused", kv_str("path", path_of(c, found->bad_segment, path)),
			  kv_int("offset", found->bad_offset), kv_str("fault", found->reason),
			  kv_err("reason", err), kv_str("run", command));
	else
		log_error("spool.refused", kv_str("path", path_of(c, found->bad_segment, path)),
			  kv_int("offset", found->bad_offset),
			  kv_str("fault", found->reason ? found->reason : ""),
			  kv_err("reason", err));
}

/* ---- was there a spool? ------------------------------------------------------------------ */

static void id_path(const struct spool_settings *c, char *buf)
{
	const char *state = getenv("STATE_DIRECTORY"); /* a list with colons */

	if (state && *state == '/')
		(void)snprintf(buf, PATH_ROOM, "%.*s/spool.id", (int)strcspn(state, ":"), state);
	else
		(void)snprintf(buf, PATH_ROOM, "%s.id", c->dir);
}

/* The file says which folder it speaks of: spool.dir may be changed. */
static bool was_here(const struct spool_settings *c)
{
	char path[PATH_ROOM];
	struct buf text = { 0 };
	bool here;

	id_path(c, path);
	here = file_read(path, PATH_ROOM, &text) >= 0 &&
	       slice_eq(slice_trim_set(buf_data(&text), "\n"), slice_str(c->dir));
	buf_free(&text);
	return here;
}

static void remember(const struct spool_settings *c)
{
	char path[PATH_ROOM], text[PATH_ROOM];
	int r;

	if (was_here(c))
		return;
	id_path(c, path);
	(void)snprintf(text, sizeof(text), "%s\n", c->dir);
	r = file_write_atomic(path, slice_str(text), 0600);
	if (r < 0)
		log_warn("spool.not-remembered", kv_str("path", path), kv_err("reason", r));
}

static bool has_log(const struct spool_settings *c)
{
	struct folder f;
	int r = folder_open(&f, disk_real(), c->dir);

	if (r >= 0)
		folder_free(&f);
	return r != -ENOENT;
}

/* ---- opening ----------------------------------------------------------------------------- */

int opening_spool(const struct spool_settings *c, bool fresh, struct spool **ret)
{
	struct spool_recovery found = { .reason = "the folder cannot be made" };
	struct spool_options o = {
		.dir = c->dir,
		.segment_bytes = (uint64_t)c->segment,
		.reserve_bytes = (uint64_t)c->reserve,
		.lazy_commit_ms = (uint32_t)c->lazy_commit,
		.clean_ratio = (uint32_t)c->clean_ratio,
		.fresh = fresh,
		.recovery = &found,
	};
	int r;

	if (!fresh && was_here(c) && !has_log(c)) {
		log_error("spool.refused", kv_str("path", c->dir),
			  kv_str("fault", "a spool was here, and nothing is left of it"),
			  kv_str("run", "postern-mta --new-spool"));
		return -ENOENT;
	}
	r = file_make_dirs(c->dir, 0700);
	if (r >= 0)
		r = spool_open(ret, &o);
	if (r < 0) {
		say_refused(c, &found, r);
		return r;
	}
	remember(c);
	return spool_start(*ret);
}

void opening_explain(const struct spool_settings *c, const struct spool *sp)
{
	struct spool_failure f;
	char path[PATH_ROOM];

	if (spool_failure(sp, &f))
		log_error("spool.failed", kv_str("path", path_of(c, f.file, path)),
			  kv_str("doing", f.doing ? f.doing : ""), kv_err("reason", f.err));
}
