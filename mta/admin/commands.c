/* mta/admin/commands.c - read down the table and you know what a running engine can be asked. */
#include "mta/admin/commands.h"

/* clang-format off */
static const struct admin_command commands[] = {
	{ "status",    NULL,        NULL,           admin_finish_status    },
	{ "books",     NULL,        NULL,           admin_finish_books     },
	{ "queue",     admin_begin_queue, admin_lane_queue,     admin_finish_queue     },
	{ "find",      admin_begin_show,  query_look_count,           admin_finish_find      },
	{ "show",      admin_begin_show,  query_look_rows,            admin_finish_show      },
	{ "why",       admin_begin_why,   admin_lane_why,       admin_finish_why       },
	{ "transcript", admin_begin_transcript, admin_lane_transcript, admin_finish_transcript },
	{ "trace",     admin_begin_trace, admin_lane_trace, admin_finish_trace     },
	{ "content",   admin_begin_content, admin_lane_content, admin_finish_content },
	{ "hold",      admin_begin_order, query_look_count,           admin_finish_order     },
	{ "release",   admin_begin_release, query_look_count,         admin_finish_release   },
	{ "move",      admin_begin_move,  query_look_count,           admin_finish_order     },
	{ "cap",       admin_begin_order, query_look_count,           admin_finish_order     },
	{ "bounce",    admin_begin_order, query_look_count,           admin_finish_order     },
	{ "retry",     admin_begin_order, admin_lane_retry,     admin_finish_retry     },
	{ "cancel",    admin_begin_order, query_look_count,           admin_finish_cancel    },
	{ "suspend",   admin_begin_order, query_look_count,           admin_finish_order     },
	{ "resume",    admin_begin_resume, query_look_count,          admin_finish_release   },
	{ "orders",    NULL,        NULL,           admin_finish_orders    },
	{ "order-show", NULL,       NULL,           admin_finish_order_show },
	{ "order-undo", NULL,       NULL,           admin_finish_undo      },
	{ "rules",     NULL,        NULL,           admin_finish_rules     },
	{ "senders",   NULL,        NULL,           admin_finish_senders   },
	{ "credentials", NULL,      NULL,           admin_finish_credentials },
	{ "events",    NULL,        NULL,           admin_finish_events    },
	{ "top",       NULL,        NULL,           admin_finish_top       },
	{ "metrics",   NULL,        NULL,           admin_finish_metrics   },
	{ "config",    NULL,        NULL,           admin_finish_config    },
	{ "consumers", NULL,        NULL,           admin_finish_consumers },
	{ "suspend-source", admin_begin_suspend, admin_lane_suspend, admin_finish_suspend },
	{ "resume-source",  admin_begin_suspend, admin_lane_suspend, admin_finish_suspend },
	{ "shape-order",   admin_begin_shape_order,   NULL, admin_finish_shape_order },
	{ "shape-show",    NULL, NULL, admin_finish_shape_show },
	{ "shape-orders",  NULL, NULL, admin_finish_shape_orders },
	{ "shape-explain", admin_begin_shape_explain, admin_lane_shape_explain, admin_finish_shape_explain },
	{ "shape-test",    NULL, NULL, admin_finish_shape_test },
	{ "tls-explain", admin_begin_tls_explain, admin_lane_tls_explain, admin_finish_tls_explain },
	{ "sources",   NULL,        admin_lane_sources, admin_finish_sources },
	{ "source-add",     admin_begin_source_add,    NULL, admin_finish_source_order },
	{ "source-check",   admin_begin_source_check,  NULL, admin_finish_source_check },
	{ "source-remove",  admin_begin_source_remove, NULL, admin_finish_source_order },
	{ "source-drain",   admin_begin_source_state,  NULL, admin_finish_source_order },
	{ "source-disable", admin_begin_source_state,  NULL, admin_finish_source_order },
	{ "source-enable",  admin_begin_source_state,  NULL, admin_finish_source_order },
	{ "routes",     NULL, admin_lane_routes, admin_finish_routes },
	{ "route-test", admin_begin_route_test, NULL, admin_finish_route_test },
	{ "tenants",    NULL, NULL, admin_finish_tenants },
	{ "tenant-limit", NULL, NULL, admin_finish_tenant_limit },
	{ "tenant-undo", NULL, NULL, admin_finish_tenant_undo },
	{ "adaptive",  NULL,        NULL,           admin_finish_adaptive  },
	{ "adaptive-forget", admin_begin_forget, NULL, admin_finish_forget },
	{ "warmup",        admin_begin_warmup_show,  NULL, admin_finish_warmup_show },
	{ "warmup-set",    admin_begin_warmup_set,   NULL, admin_finish_warmup_order },
	{ "warmup-unset",  admin_begin_warmup_end,   NULL, admin_finish_warmup_order },
	{ "warmup-pause",  admin_begin_warmup_pause, NULL, admin_finish_warmup_order },
	{ "warmup-resume", admin_begin_warmup_end,   NULL, admin_finish_warmup_resume },
	{ "reload",    NULL,        NULL,           admin_finish_reload    },
	{ "flush-dns", NULL,        admin_lane_flush_dns, admin_finish_flush_dns },
};
/* clang-format on */

const struct admin_command *admin_command_find(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (slice_eq(name, slice_str(commands[i].name)))
			return &commands[i];
	return NULL;
}
