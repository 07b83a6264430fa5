/* mta/config/spool.c - rows of the options of the spool. */
#include "mta/config/spool.h"

#define AT(member) offsetof(struct spool_settings, member)
enum { MIB = 1024 * 1024, GIB = 1024 * 1024 * 1024, SEC = 1000 };

static const struct option rows[] = {
	{ "spool.dir", T_STR, AT(dir), 1, 1024, "/var/spool/postern", false,
	  "Folder of the spool, which holds the queued mail." },
	{ "spool.segment", T_SIZE, AT(segment), MIB, GIB, "64M", false,
	  "Size of one file of the spool." },
	{ "spool.reserve", T_SIZE, AT(reserve), 0, INT64_MAX, "256M", false,
	  "Refuse new mail when less disk space than this is free." },
	{ "spool.lazy_commit", T_DURATION, AT(lazy_commit), 0, 10 * SEC, "20ms", false,
	  "Longest time until the outcome of a delivery is synced to disk." },
	{ "spool.clean_ratio", T_INT, AT(clean_ratio), 110, 10000, "300", false,
	  "Compact the spool when its size is more than this percentage of the data still "
	  "needed." },
};

const struct option_set spool_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct spool_settings),
};
