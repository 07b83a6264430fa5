/* mta/link/options.c - rows of the options of the link. */
#include "mta/link/link.h"

#define AT(member) offsetof(struct uplink_options, member)
enum { MIB = 1024 * 1024, GIB = 1024 * 1024 * 1024 };

static const struct option rows[] = {
	{ "link.socket", T_STR, AT(socket), 0, 107, "", false,
	  "Unix socket for the control plane; empty: none." },
	{ "link.group", T_STR, AT(group), 0, 32, "", false,
	  "Group whose members may use link.socket, besides root and the engine's own user." },
	{ "link.buffer", T_SIZE, AT(buffer), MIB, GIB, "64M", true,
	  "Bytes per link client that may wait for the disk; the client is not read beyond "
	  "that." },
};

const struct option_set uplink_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct uplink_options),
};
