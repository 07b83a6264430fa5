/* mta/link/client.h - one client of the link; for the files of this folder alone.
 * Owns:    a client is its server's; it is freed at the end of the turn in which it ends.
 * Threads: the front desk's. */
#pragma once
#include "mta/core/engine.h"
#include "mta/link/frames.h"

enum { LINK_CLIENTS_MAX = 32, LINK_NAME_MAX = 64 };

struct uplink_asked;
struct unix_listener;
struct unix_listener_user;
struct uplink_server {
	struct lane *front;
	struct engine *engine;
	struct unix_listener *listener;
	struct list clients;
	struct list lost;  /* orders of clients that are gone; they are still carried out */
	struct list spare; /* struct uplink_order */
	char engine_id[ID_TEXT_MAX];
	lsn_t engine_id_lsn;        /* its rule's position */
	struct uplink_asked *asked; /* NULL: nobody answers ADMIN frames */
	bool quiet;
};

struct uplink_client {
	struct list link;
	struct uplink_server *server;
	struct frames frames;
	struct turn_end reap;
	bool hello, welcomed;
	uint64_t hello_request;
	struct durable_wait welcome;
	char name[LINK_NAME_MAX + 1];

	struct list orders; /* struct uplink_order, waiting for the disk */
	size_t waiting_bytes;

	bool subscribed;
	uint64_t subscription; /* the request */
	lsn_t next;
	struct durable_wait tail; /* waits for something new at the end of the log */
	struct buf packed;
};

/* An order that was written and waits for its sync.  The engine must hear of it even when its
 * client has gone. */
struct uplink_order {
	struct list link;
	struct durable_wait wait;
	struct uplink_server *server;
	struct uplink_client *client; /* NULL: gone */
	uint64_t request;
	size_t bytes;
	enum { ORDER_CONTENT, ORDER_JOB, ORDER_RULE } kind;
	job_no job;
	bool known;            /* nothing new: the engine has it */
	struct buf key, value; /* ORDER_RULE */
};

/* client.c */
int uplink_client_begin(struct uplink_server *server, int fd) MUST_CHECK;
void uplink_client_end(struct uplink_client *c);
void uplink_client_acknowledge(struct uplink_client *c, uint64_t request, lsn_t lsn);
void uplink_client_wait(struct uplink_client *c, struct uplink_order *o, uint64_t request,
			size_t bytes, lsn_t lsn);
struct uplink_order *uplink_order_take(struct uplink_server *server);
void uplink_order_give(struct uplink_order *o);

/* senders.c: the order FACTS (schema/wire/facts.h); blocks on the disk */
int uplink_client_facts(struct uplink_client *c, const struct link_frame *f) MUST_CHECK;

/* orders.c */
void uplink_client_order(struct uplink_client *c, const struct link_frame *f);

/* feed.c */
int uplink_feed_begin(struct uplink_client *c, uint64_t request, lsn_t from) MUST_CHECK;
void uplink_feed_go_on(struct uplink_client *c);
