/* mta/config/host.c - rows of the options of the process, and the name of this host. */
#include "mta/config/host.h"

#include <stdio.h>
#include <unistd.h>

#define AT(member) offsetof(struct host_options, member)

static const struct option rows[] = {
	{ "hostname", T_STR, AT(hostname), 0, 253, "", false,
	  "Name of this host, used in EHLO, Received and Message-ID; default: the system's." },
	{ "user", T_STR, AT(user), 0, 32, "postern", false,
	  "User to become when started as root; empty: stay root." },
	{ "log.level", T_STR, AT(log_level), 0, 8, "info", true, "error, warn, info or debug." },
	{ "log.deliveries", T_BOOL, AT(log_deliveries), 0, 0, "no", true,
	  "Write a line for every delivered recipient, not only for failures." },
	{ "files.max", T_INT, AT(files_max), 64, 4194304, "65536", false,
	  "Limit of open files asked of the system." },
};

static int derive_hostname(struct host_options *o, struct option_fault *f)
{
	char name[256] = "";

	if (!*o->hostname) {
		if (gethostname(name, sizeof(name) - 1) < 0 || !*name)
			(void)snprintf(name, sizeof(name), "localhost");
		free(o->hostname);
		o->hostname = must_copy(slice_str(name));
	}
	for (const char *p = o->hostname; *p; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 127)
			return option_bad(f, "hostname", slice_str(o->hostname), "a host name");
	return 0;
}

static int derive(void *options, const struct settings *all, struct option_fault *f)
{
	struct host_options *o = options;
	int r = derive_hostname(o, f);

	(void)all;
	if (r < 0)
		return r;
	if (log_level_parse(slice_str(o->log_level), &o->level) < 0)
		return option_bad(f, "log.level", slice_str(o->log_level),
				  "error, warn, info or debug");
	return 0;
}

const struct option_set host_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct host_options),
	.derive = derive,
};
