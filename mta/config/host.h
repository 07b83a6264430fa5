/* mta/config/host.h - options of the whole process: its name, its user, what it logs. */
#pragma once
#include "base/log.h"
#include "base/settings.h"

struct host_options {
	char *hostname, *user, *log_level, *log_format;
	bool log_deliveries;
	int64_t files_max;
	enum log_level level; /* from log_level */
	enum log_format format;
};
extern const struct option_set host_option_set;

static inline const struct host_options *host_options(const struct settings *s)
{
	return settings_of(s, &host_option_set);
}
