/* What submission counts: a row per counter, and the sum over the lanes. */
#include <pthread.h>

#include "mta/submit/lane.h"

struct submit_counter_row {
	const char *name, *type, *help;
	size_t offset; /* in struct smtpd_counters */
	size_t stat;   /* in struct submit_stats */
};
#define ROW(member) offsetof(struct smtpd_counters, member), offsetof(struct submit_stats, member)

/* clang-format off: a table */
static const struct submit_counter_row rows[] = {
	{ "sessions_open", "gauge", "Submission sessions now", ROW(sessions_open) },
	{ "sessions_total", "counter", "Submission sessions so far", ROW(sessions) },
	{ "messages_total", "counter", "Messages taken by submission", ROW(messages) },
	{ "recipients_total", "counter", "Recipients taken by submission", ROW(recipients) },
	{ "bytes_total", "counter", "Bytes of messages taken by submission", ROW(bytes) },
	{ "refused_total", "counter", "Connections and messages refused", ROW(refused) },
	{ "tls_total", "counter", "Submission sessions that began TLS", ROW(tls) },
};
/* clang-format on */

static struct {
	pthread_mutex_t lock;
	struct list all; /* struct submit_lane */
} lanes = { .lock = PTHREAD_MUTEX_INITIALIZER, .all = LIST_INIT(lanes.all) };

void submit_counters_join(struct submit_lane *on)
{
	pthread_mutex_lock(&lanes.lock);
	list_push(&lanes.all, &on->link);
	pthread_mutex_unlock(&lanes.lock);
}

void submit_counters_part(struct submit_lane *on)
{
	pthread_mutex_lock(&lanes.lock);
	list_remove(&on->link);
	pthread_mutex_unlock(&lanes.lock);
}

static void add(struct submit_stats *sum, const struct smtpd_counters *c)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct submit_counter_row *row = &rows[i];
		const _Atomic uint64_t *counter = (const void *)((const char *)c + row->offset);
		*(uint64_t *)(void *)((char *)sum + row->stat) +=
		    atomic_load_explicit(counter, memory_order_relaxed);
	}
}

struct submit_stats submit_stats_now(void)
{
	struct submit_stats sum = { 0 };
	struct submit_lane *on;

	pthread_mutex_lock(&lanes.lock);
	list_each(&lanes.all, on, struct submit_lane, link)
		add(&sum, &on->counters);
	pthread_mutex_unlock(&lanes.lock);
	return sum;
}
