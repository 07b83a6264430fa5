/* Read down the table and you have read what may be asked of a running engine. */
#include "mta/admin/query.h"

/* clang-format off */
static const struct admin_command commands[] = {
	{ "status",    NULL,        NULL,           finish_status    },
	{ "books",     NULL,        NULL,           finish_books     },
	{ "queue",     begin_queue, lane_queue,     finish_queue     },
	{ "show",      begin_show,  lane_show,      finish_show      },
	{ "why",       begin_why,   lane_why,       finish_why       },
	{ "hold",      begin_order, lane_matches,   finish_hold      },
	{ "release",   begin_order, lane_matches,   finish_release   },
	{ "retry",     begin_order, lane_retry,     finish_retry     },
	{ "cancel",    begin_order, lane_matches,   finish_cancel    },
	{ "rules",     NULL,        NULL,           finish_rules     },
	{ "events",    NULL,        NULL,           finish_events    },
	{ "metrics",   NULL,        NULL,           finish_metrics   },
	{ "config",    NULL,        NULL,           finish_config    },
	{ "consumers", NULL,        NULL,           finish_consumers },
	{ "reload",    NULL,        NULL,           finish_reload    },
	{ "flush-dns", NULL,        lane_flush_dns, finish_flush_dns },
};
/* clang-format on */

const struct admin_command *command_find(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (slice_eq(name, slice_str(commands[i].name)))
			return &commands[i];
	return NULL;
}
