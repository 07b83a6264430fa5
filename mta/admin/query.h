/* mta/admin/query.h - one question of a client, and its parts on the lanes; for the files of this
 * folder alone.
 *
 * The life of a query: begin() on the front desk, then on_lane() on every lane, then finish() on
 * the front desk, which answers; each may be NULL.  begin() and finish() may ask for another round
 * (query_ask_lanes) or answer later.
 * Owns:    a query is its server's and outlives its client.
 * Threads: the front desk's, except on_lane() and its struct query_part. */
#pragma once
#include "base/tree.h"
#include "mta/core/chore.h"
#include "mta/core/engine.h"
#include "mta/inspect/inspect.h"
#include "mta/inspect/why.h"
#include "mta/link/frames.h"
#include "mta/link/link.h"
#include "mta/metrics/metrics.h"
#include "mta/orders/orders.h"
#include "mta/rules/rules.h"

enum { ADMIN_CLIENTS_MAX = 64, ADMIN_QUERIES_MAX = 64, ADMIN_ROWS_MAX = 10000 };

struct unix_listener;
struct admin_server {
	struct lane *front;
	struct engine *engine;
	struct unix_listener *listener;
	struct list clients, queries;
	struct uplink_asked uplink; /* the link's clients ask too */
	unsigned n_queries;
	bool limiting; /* an order on limits is on its way to the disk */
	int64_t started_ms;
};

struct query;
struct query_part;
struct admin_command {
	const char *name;
	int (*begin)(struct query *q);
	void (*on_lane)(struct query *q, struct query_part *p, struct lane *l);
	int (*finish)(struct query *q);
};

/* One lane's part of an answer; written there, read when all are back. */
struct query_part {
	struct note note;
	struct query *query;
	struct tree *tree;   /* what on_lane wrote */
	struct branch *rows; /* a list in it */
	uint64_t count;
	struct inspect_count *counts; /* `queue`; texts are in the tree */
	size_t n_counts, cap_counts;
	/* A look at many recipients takes several turns (look.c). */
	struct walk *walk;
	struct inspect_counts *counting;
	struct why *why;
	struct lane *lane;
	struct chore chore; /* the lane's */
	int64_t end_us;     /* when it gives up; 0: it has not begun */
	bool again;         /* on_lane wants another turn */
	bool partial;       /* it gave up before the end */
	bool counted;       /* `queue`: all were looked at */
	uint64_t held;      /* of `count`: those that a rule holds */
};

struct query {
	struct list link;
	struct admin_server *server;
	struct frames *client; /* NULL: gone */
	char asker[96];        /* who asks, as the kernel or the link knows him */
	uint64_t request;
	const struct admin_command *command;
	struct tree *tree;         /* the answer */
	struct branch *out, *rows; /* rows: a list in it that is filled in turns */

	/* arguments, checked by begin() */
	char what[600], reason[512];
	char fault[512]; /* what is wrong, when begin() or finish() gives an error; may be empty */
	struct selector selector; /* its slices point into `what` */
	/* of `shape-...`: */
	char key[64], value[800], author[128], source[64], pool[128];
	uint64_t tenant;
	struct slice text; /* the tree's */
	unsigned by, max;
	uint64_t from;
	bool preview;
	struct order_writing writing; /* of the orders */
	char until[64], grace[32], rate[32];
	uint64_t order, connections;

	struct query_part *parts;
	unsigned left;  /* parts not back yet */
	uint64_t count; /* of the first round */
	uint64_t found; /* events of the log */
	bool live;      /* the job is in the queue */
	unsigned round;
	struct durable_wait wait;
	struct metrics_asker metrics;
	struct timer timer;
};

/* query.c */
void query_start(struct admin_server *s, struct frames *from, const char *asker,
		 const struct link_frame *f);
void query_ask_lanes(struct query *q);
uint64_t query_sum(const struct query *q); /* of the parts' counts */
void query_answer(struct query *q);        /* sends the report and ends the query */
void query_fail(struct query *q, int err, const char *text);
/* select.c: `what` as the operator wrote it (terms, and words that are a job's id, id:row, an
 * address or a domain) becomes a selector, and the one text of it.  Else q->fault says why not. */
int query_selector(struct query *q) MUST_CHECK;
/* The same without a check of the domain: for rules that an earlier version took. */
int query_selector_as_written(struct query *q) MUST_CHECK;
/* The lists the lanes wrote, one behind the other, up to max. */
void query_join_rows(struct query *q, const char *name);
void query_free(struct query *q);
/* Arguments of a frame.  False: it is there, but of another type or too long. */
bool query_text(const struct value *args, const char *name, char *buf, size_t cap);
bool query_number(const struct value *args, const char *name, uint64_t *ret);

/* The author of an order: whom the client names, and who the client is. */
void query_author(const struct query *q, char *buf, size_t cap);
/* True when an answer of the lanes is not complete. */
bool query_is_partial(const struct query *q);
uint64_t query_held(const struct query *q); /* the sum of the parts' */

/* look.c: on every lane, in slices */
void query_look_count(struct query *q, struct query_part *p, struct lane *l);
void query_look_rows(struct query *q, struct query_part *p, struct lane *l);
