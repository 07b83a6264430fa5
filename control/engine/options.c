/* control/engine/options.c - the option rows of the link to an engine. */
#include "control/engine/options.h"

#define AT(member) offsetof(struct carrier_options, member)

/* clang-format off */
static const struct option rows[] = {
	{"engine.socket", T_STR, AT(socket), 0, 0, "/run/postern/link.sock", false,
	 "Socket of the engine's link (link.socket in mta.conf)"},
	{"engine.name", T_STR, AT(name), 0, 64, "control", false,
	 "Name under which the engine remembers which events were taken"},
	{"engine.pool", T_STR, AT(pool), 0, 64, "", false,
	 "Egress pool that campaigns are sent from; empty: the engine's default pool"},
	{"engine.lost", T_STR, AT(lost), 0, 8, "again", false,
	 "What becomes of mail that an engine had whose spool is gone, went back or was repaired: "
	 "again (it is sent again, and those whose delivery was not reported yet get it twice) or "
	 "end (it is cancelled)"},
};
/* clang-format on */

static int check_words(void *options, const struct settings *all UNUSED, struct option_fault *f)
{
	const struct carrier_options *o = options;

	if (strcmp(o->lost, "again") == 0 || strcmp(o->lost, "end") == 0)
		return 0;
	return option_bad(f, "engine.lost", slice_str(o->lost), "again or end");
}

const struct option_set carrier_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct carrier_options),
	.derive = check_words,
};
