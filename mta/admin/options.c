/* mta/admin/options.c - rows of the options of the admin socket. */
#include "mta/admin/admin.h"

static const struct option rows[] = {
	{ "admin.socket", T_STR, offsetof(struct admin_options, socket), 0, 107,
	  "/run/postern/admin.sock", false, "Unix socket for the postern command; empty: none." },
};

const struct option_set admin_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct admin_options),
};
