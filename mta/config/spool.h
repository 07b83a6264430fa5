/* mta/config/spool.h - options of the spool (spool/spool.h), which mta/main.c opens. */
#pragma once
#include "base/settings.h"

struct spool_settings {
	char *dir;
	int64_t segment, reserve, lazy_commit, clean_ratio;
};
extern const struct option_set spool_option_set;

static inline const struct spool_settings *spool_settings(const struct settings *s)
{
	return settings_of(s, &spool_option_set);
}
