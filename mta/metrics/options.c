/* mta/metrics/options.c - rows of the options of the metrics' listener. */
#include "mta/metrics/metrics.h"

static const struct option rows[] = {
	{ "metrics.listen", T_STR, offsetof(struct metrics_options, listen), 0, 107, "", false,
	  "Address and port, or the path of a Unix socket, where GET /metrics is answered with "
	  "counters for Prometheus; empty: nowhere." },
	{ "metrics.group", T_STR, offsetof(struct metrics_options, group), 0, 32, "", false,
	  "Group whose members may use a Unix socket of metrics.listen, besides root and the "
	  "engine's own user." },
};

static int derive(void *options, const struct settings *all, struct option_fault *f)
{
	struct metrics_options *o = options;
	struct listener_list list = { .n = 0 };

	(void)all;
	if (!*o->listen || *o->listen == '/')
		return 0;
	if (listener_list_add(&list, slice_str(o->listen), 0) < 0)
		return option_bad(f, "metrics.listen", slice_str(o->listen),
				  "an address and port such as 127.0.0.1:9464, or a path");
	o->at = list.at[0];
	return 0;
}

const struct option_set metrics_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct metrics_options),
	.derive = derive,
};
