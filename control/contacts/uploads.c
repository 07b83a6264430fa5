/* control/contacts/uploads.c - removes uploads whose process died before it wrote an import. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/contacts/import.h"
#include "control/contacts/statements.h"

enum { LEFT_OVER_MS = 24 * 3600 * 1000 };

/* 1 when an import still waits for it. */
static int is_wanted(struct db *ingest, const char *path)
{
	return db_run(ingest, NULL, sql_contacts_import_wants, p_str(path));
}

static bool is_old(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       clock_wall_ms() - (int64_t)st.st_mtime * 1000 > LEFT_OVER_MS;
}

void import_clean_uploads(struct db *ingest, const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	unsigned n = 0;
	char path[4096];

	if (!dir)
		return;
	while ((e = readdir(dir))) {
		int len = snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);

		if (strncmp(e->d_name, "upload-", 7) != 0 || len >= (int)sizeof(path) ||
		    !is_old(dirfd(dir), e->d_name))
			continue;
		/* Without an answer the file stays. */
		if (is_wanted(ingest, path) == 0 && unlinkat(dirfd(dir), e->d_name, 0) == 0)
			n++;
	}
	(void)closedir(dir);
	if (n)
		log_info("uploads.cleaned", kv_int("files", n));
}
