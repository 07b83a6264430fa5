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
};
/* clang-format on */

const struct option_set carrier_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct carrier_options),
};
