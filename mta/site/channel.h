/* mta/site/channel.h - one connection of a pool: a session, what it has in hand, and its end.
 * Owns:    a channel is its pool's; it is freed at the end of the turn in which its session ends.
 * Threads: the lane's. */
#pragma once
#include "mta/site/caps.h"
#include "mta/site/pool.h"
#include "mta/smtp/session.h"
#include "mta/census/census.h"

struct pair;
struct smart_auth;
struct channel {
	struct list link;   /* the pool's channels */
	struct list idle;   /* the pool's idle channels; empty: busy or opening */
	struct list hand;   /* what the deliver room gave it */
	struct list hungry; /* on sites.hungry: goes on in a later turn */
	struct pool *pool;
	struct session *session;
	struct session_user user;
	bool auth_refused;          /* by a smart host */
	struct smart_auth *auth;    /* until it was said; NULL: none */
	struct policy_facts *facts; /* keeps mx alive, and what `check` shows */
	struct policy_demand demand;
	struct tls_check check;
	uint64_t check_digest;
	/* Once it is ready. */
	struct tls_result tls;
	struct slice policy_name, proof_name; /* as records say them */
	const struct route_host *mx;
	struct host *host;
	struct source *source;
	unsigned turn;    /* of the pool's turns; TURN_NONE: its source is no longer there */
	const char *ehlo; /* the name it greets with; the options of its time */
	char source_text[IP_TEXT_MAX]; /* its address, or the one that the system picked */
	struct shape *shape;           /* of its own; NULL: the pool's */
	struct own *own;               /* limits of its source; NULL: none (own.h) */
	struct own_seat {              /* whose connections it is counted in for that */
		struct source_limits *at[2];
	} own_seat;
	struct list lids;              /* of the tenants whose mail it carries (mta/site/lids.h) */
	slot_count *site_source_slots; /* of its source at this site; may be NULL */
	struct site_limits *shared, *provider; /* whose slots it has; provider may be NULL */
	struct site_limits *scope;      /* where its source may be suspended (mta/site/suspend.h) */
	struct source_limits *standing; /* of its source there */
	struct census *census[CENSUS_KINDS]; /* the deliver room's; NULL: not looked up yet */
	bool trying;                         /* its message shows whether a suspension is over */
	struct steer *steer;            /* of its source at the site; NULL: it is not steered */
	struct steer *kin;              /* of its source at the provider; NULL: mta/site/kin.h */
	struct source_limits *kin_seat; /* where it is counted for that; NULL: it is not */
	struct warmup_pair *warmup;     /* the plan of its source there; NULL: it has none */
	bool probing, kin_probing;      /* its message shows whether a wall is gone */
	bool told;                      /* its trouble is known to the steer */
	int64_t begun_ms;               /* monotonic */
	unsigned before;                /* others of its source that were open or opening then */
	int64_t failed_ms; /* when a transaction left somebody without a delivery; monotonic */
	enum session_blame blame; /* for its end */
	int blame_err;
	struct transcript_watch watch; /* of a trace */
	unsigned traced;               /* its number there; 0: none */
	struct turn_end reap;
	struct timer idle_timer, race_timer;
	struct channel *rival; /* of the other family, connecting too (mta/site/race.h) */
	int64_t idle_since_ms;
	struct caps_hold caps;
	unsigned in_hand, taken;
	unsigned bulk; /* of those in hand */
	bool ready_once, quitting, cut, gone;
	bool judged; /* the host has answered about a recipient */
	bool spoilt; /* it ended because the host cannot do what it offers */
	bool stale;  /* it was opened under another policy than the one that holds now */
};
static inline const struct shape *channel_shape(const struct channel *ch)
{
	return ch->shape ? ch->shape : &ch->pool->shape;
}
/* 0, or why none can be opened now: E_FULL (limits), E_UNKNOWN (the pool or the site pauses),
 * E_CONFLICT (it failed before it began; another may do).  transactional: may use the slots kept
 * for that.  seats: at the caps, the channel's when it opens. */
int channel_open(struct pool *p, bool transactional, const struct caps_hold *seats) MUST_CHECK;
/* The same, to this address from this source.  *ret (may be NULL) is the pool's. */
int channel_open_to(struct pool *p, const struct pair *pair, bool transactional,
		    struct channel **ret) MUST_CHECK;
/* Hands it transactions while it takes more and the turn has time: building messages must not keep
 * the lane from its other descriptors.  Transactional mail goes regardless of the time. */
void channel_feed(struct channel *ch);
void channel_init(struct sites *s);
void channel_reshape(struct channel *ch); /* the shapes changed */
void channel_recheck(struct channel *ch); /* the facts of its site are other ones */
void channel_quit(struct channel *ch);
/* Its source was disabled: what has not begun to leave goes again from another one. */
void channel_cut(struct channel *ch);
void channel_free_now(struct channel *ch); /* at the lane's end */
