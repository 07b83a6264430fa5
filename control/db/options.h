/* control/db/options.h - options of the database: control.conf(5). */
#pragma once
#include "base/settings.h"

struct db_options {
	char *conninfo, *bootstrap_user, *owner_user, *api_user, *ingest_user;
	int64_t statement_timeout; /* ms */
};
extern const struct option_set db_option_set;
