/* mta/opening.c - the spool of the engine, and why it is refused. */
#include "mta/opening.h"

#include <stdio.h>

#include "base/file.h"
#include "base/log.h"

enum { PATH_ROOM = 2048 };

static const char *path_of(const struct spool_settings *c, const char *file, char *buf)
{
	(void)snprintf(buf, PATH_ROOM, "%s%s%s", c->dir, *file ? "/" : "", file);
	return buf;
}

static void say_refused(const struct spool_settings *c, const struct spool_recovery *found, int err)
{
	char path[PATH_ROOM], command[PATH_ROOM];

	(void)snprintf(command, sizeof(command), "postern spool repair --spool %s", c->dir);
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

int opening_spool(const struct spool_settings *c, struct spool **ret)
{
	struct spool_recovery found = { .reason = "the folder cannot be made" };
	struct spool_options o = {
		.dir = c->dir,
		.segment_bytes = (uint64_t)c->segment,
		.reserve_bytes = (uint64_t)c->reserve,
		.lazy_commit_ms = (uint32_t)c->lazy_commit,
		.clean_ratio = (uint32_t)c->clean_ratio,
		.recovery = &found,
	};
	int r = file_make_dirs(c->dir, 0700);

	if (r >= 0)
		r = spool_open(ret, &o);
	if (r < 0) {
		say_refused(c, &found, r);
		return r;
	}
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
