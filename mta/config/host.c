/* mta/config/host.c - rows of the options of the process, and the name of this host. */
#include "mta/config/host.h"

#include <stdio.h>
#include <unistd.h>

#define AT(member) offsetof(struct host_options, member)

static const struct option rows[] = {
	{ "hostname", T_STR, AT(hostname), 0, 253, "", false,
	  "Name of this host in EHLO, Received and Message-ID; empty: the system's host name." },
	{ "user", T_STR, AT(user), 0, 32, "postern", false,
	  "User to become when started as root; empty: stay root." },
	{ "log.level", T_STR, AT(log_level), 0, 8, "info", true,
	  "Which events to log: error, warn, info or debug; each includes those before it." },
	{ "log.format", T_STR, AT(log_format), 0, 8, "logfmt", true,
	  "Form of the log, one event per line: logfmt or json." },
	{ "log.deliveries", T_BOOL, AT(log_deliveries), 0, 0, "no", true,
	  "Log every delivered recipient too, not only failures." },
	{ "files.max", T_INT, AT(files_max), 64, 4194304, "65536", false,
	  "How many files and connections may be open; the system's hard limit still holds." },
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
	if (log_format_parse(slice_str(o->log_format), &o->format) < 0)
		return option_bad(f, "log.format", slice_str(o->log_format), "logfmt or json");
	return 0;
}

const struct option_set host_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct host_options),
	.derive = derive,
};
