/* control/app/options.c - the option rows of the whole daemon. */
#include "control/app/options.h"

#define AT(member) offsetof(struct app_options, member)

/* clang-format off */
static const struct option rows[] = {
	{"secrets.key_file", T_STR, AT(secrets_file), 0, 0, "/etc/postern/control.key", false,
	 "File with the secrets of this instance; --make-secrets writes a new one"},
	{"data.dir", T_STR, AT(data_dir), 0, 0, "/var/lib/postern-control", false,
	 "Folder for uploaded files until they are imported"},
};
/* clang-format on */

const struct option_set app_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct app_options),
};
