/* mta/metrics/names.c - what counters are called that have another name in their part. */
#include "mta/metrics/names.h"

#define QUEUE "Recipients in the queue by state"
/* Rows of one metric stand one behind the other here and in their part. */
/* clang-format off */
static const struct metric_name names[] = {
	{ "delivered",          "recipients_delivered",     NULL, 0, NULL },
	{ "bounced",            "recipients_bounced",       NULL, 0, NULL },
	{ "expired",            "recipients_expired",       NULL, 0, NULL },
	{ "cancelled",          "recipients_cancelled",     NULL, 0, NULL },
	{ "suppressed",         "recipients_suppressed",    NULL, 0, NULL },
	{ "requeued",           "recipients_requeued",      NULL, 0, NULL },
	{ "deferred",           "attempts_deferred",        NULL, 0, NULL },
	{ "in_doubt",           "attempts_in_doubt",        NULL, 0, NULL },
	{ "messages",           "transactions",             NULL, 0, NULL },
	{ "message_bytes",      "transaction_bytes",        NULL, 0, NULL },
	{ "signatures",         "dkim_signatures",          NULL, 0, NULL },
	{ "judged",             "dkim_checks",              NULL, 0, NULL },
	{ "sign_us",            "dkim_signing_seconds",     NULL, 1e-6, "Time spent signing" },
	{ "expand_us",          "expansion_seconds",        NULL, 1e-6, "Time spent expanding" },
	{ "sessions_opened",    "connections_opened",       NULL, 0, NULL },
	{ "sessions_failed",    "connections_failed",       NULL, 0, NULL },
	{ "sessions_tls",       "connections_tls",          NULL, 0, NULL },
	{ "sessions_resumed",   "connections_tls_resumed",  NULL, 0, NULL },
	{ "sessions_open",      "connections_open",         NULL, 0, NULL },
	{ "route_queries",      "dns_route_queries",        NULL, 0, NULL },
	{ "loaded_jobs",        "queue_jobs_loaded",        NULL, 0, NULL },
	{ "loaded_rcpts",       "queue_recipients_loaded",  NULL, 0, NULL },
	{ "looked",             "queue_recipients_looked_at", NULL, 0, NULL },
	{ "in_flight",          "queue_recipients",         "state=\"in_flight\"", 0, QUEUE },
	{ "queued_ready",       "queue_recipients",         "state=\"ready\"", 0, QUEUE },
	{ "queued_deferred",    "queue_recipients",         "state=\"deferred\"", 0, QUEUE },
	{ "queued_held",        "queue_recipients",         "state=\"held\"", 0, QUEUE },
	{ "queued_routing",     "queue_recipients",         "state=\"routing\"", 0, QUEUE },
	{ "domains",            "queue_domains",            NULL, 0, NULL },
	{ "start_jobs_left",    "queue_jobs_unread",        NULL, 0, NULL },
	{ "spool_accepted",     "spool_recipients_accepted",   NULL, 0, NULL },
	{ "spool_delivered",    "spool_recipients_delivered",  NULL, 0, NULL },
	{ "spool_bounced",      "spool_recipients_bounced",    NULL, 0, NULL },
	{ "spool_expired",      "spool_recipients_expired",    NULL, 0, NULL },
	{ "spool_cancelled",    "spool_recipients_cancelled",  NULL, 0, NULL },
	{ "spool_queued",       "spool_recipients_queued",     NULL, 0, NULL },
	{ "spool_lost",         "spool_recipients_lost",       NULL, 0, NULL },
	{ "spool_deferred_attempts", "spool_attempts_deferred", NULL, 0, NULL },
	{ "spool_bytes_written", "spool_written_bytes",        NULL, 0, NULL },
};
/* clang-format on */

const struct metric_name *metric_name(const char *ours)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i].ours, ours) == 0)
			return &names[i];
	return NULL;
}
