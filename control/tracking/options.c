/* control/tracking/options.c - the option rows of links in mail. */
#include "control/tracking/options.h"

#define AT(member) offsetof(struct tracking_options, member)

/* clang-format off */
static const struct option rows[] = {
	{"public.url", T_STR, AT(public_url), 0, 0, "http://127.0.0.1:8081", false,
	 "URL under which recipients reach the public listener, without a slash at the end"},
	{"public.waiting_max", T_SIZE, AT(waiting_max), 65536, 1LL << 30, "16M", false,
	 "Disk in data.dir for unsubscribes that wait until the database answers"},
};
/* clang-format on */

const struct option_set tracking_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct tracking_options),
};
