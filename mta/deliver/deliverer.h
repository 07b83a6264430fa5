/* mta/deliver/deliverer.h - what a lane needs to deliver: who goes next over a connection, the
 * message for them, the record of the verdict.
 * Owns:    its spare deliveries, the keys it signs with, outcomes that the spool could not take
 *          yet.
 * Threads: the lane's, except deliver_keys_changed(). */
#pragma once
#include "mta/config/host.h"
#include "mta/deliver/avoid.h"
#include "mta/deliver/keys.h"
#include "mta/deliver/message_id.h"
#include "mta/deliver/last.h"
#include "mta/replies/replies.h"
#include "mta/returnpath/returnpath.h"
#include "mta/senders/senders.h"
#include "mta/site/channel.h"
#include "mta/census/census.h"
#include "schema/wire/dsn.h"

enum { RETRIES_MAX = 64 };

enum sign_required {
	SIGN_WHEN_POSSIBLE,
	SIGN_OR_DEFER,  /* unsigned mail waits for a key */
	SIGN_OR_REFUSE, /* ... and is not taken at submission */
};
struct deliver_options {
	char *keys_dir, *sign_text;
	enum sign_required sign; /* from sign_text */
	char *schedule;
	int64_t jitter; /* percent */
	bool bounce_messages;
	int64_t bounce_size;
	bool blocked_elsewhere;
	int64_t delay_warning;        /* milliseconds; 0: none */
	int64_t retries[RETRIES_MAX]; /* milliseconds after attempt 1, 2 ... */
	unsigned n_retries;
};
extern const struct option_set deliver_option_set;
/* Delay before the next try after `attempts` tries, without jitter. */
int64_t deliver_retry_ms(const struct deliver_options *o, unsigned attempts);

struct deliver_counters {
	counter delivered, deferred, bounced, expired, cancelled, suppressed;
	counter requeued, in_doubt;
	counter elsewhere, held_by_reply;
	counter replies[JUDGE_CLASSES]; /* deferrals and bounces, by class */
	counter recoded, unsigned_messages;
	counter messages, message_bytes, signatures, sign_us, judged, expansions, expand_us;
};

struct deliverer {
	struct lane *lane;
	struct engine *engine;
	struct spool *spool;
	struct loop *loop;
	struct queue *queue;
	struct queue_ends ends; /* given to the queue */
	struct sites *sites;
	struct site_loads loads; /* given to the sites */
	struct rules *rules;
	struct senders *senders;
	struct census_all *census;
	const struct message_ids *ids; /* shared by the lanes */
	struct returnpath *returnpath; /* likewise */
	const struct returnpath_options *returns;
	const struct deliver_options *options;
	const struct host_options *host;
	const struct judge *judge; /* of the settings, as the two above */
	bool freeing;

	struct list spare_one, spare_many; /* deliveries at rest */
	struct keyrings keys;
	uint64_t unsigned_since; /* it was logged */
	int64_t unsigned_log_ms;
	struct list late; /* outcomes the spool could not take yet */
	struct timer late_timer;
	struct last_replies last;
	struct avoided avoided;
	unsigned holds; /* made because of replies (mta/deliver/act.h) */
	struct deliver_counters counters;
};
extern const struct part deliver_part;

/* signer.c: sign.required refuses this at submission, as nobody signs for the domain of From (n 0:
 * there is none).  Blocks on the key folder. */
bool deliver_must_refuse(struct lane *l, struct slice domain, uint64_t tenant);
/* A DKIM key file was added or removed: lanes forget the domain's keys.  Any thread. */
void deliver_keys_changed(struct engine *e, struct slice domain);
