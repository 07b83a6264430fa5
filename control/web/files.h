/* control/web/files.h - the files of pages, as the build embeds them (script/web).
 * Owns: nothing; everything is constant. */
#pragma once
#include "base/base.h"

struct web_file {
	const char *name, *type; /* "docs/docs.js"; its media type */
	const unsigned char *gzipped;
	size_t gzipped_n, plain_n;
	int64_t tag; /* above 0; another content has another one */
};
extern const struct web_file web_files[];
extern const size_t web_files_n;
/* NULL when there is none of that name. */
const struct web_file *web_file_find(struct slice name);
