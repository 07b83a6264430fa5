/* control/web/files.c - finding a file. */
#include "control/web/files.h"

const struct web_file *web_file_find(struct slice name)
{
	for (size_t i = 0; i < web_files_n; i++)
		if (slice_eq(name, slice_str(web_files[i].name)))
			return &web_files[i];
	return NULL;
}
