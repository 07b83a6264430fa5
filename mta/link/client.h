/* mta/link/client.h - one client of the link; shared by the files of this folder alone. */
#pragma once
#include "mta/core/engine.h"
#include "mta/link/frames.h"

enum { LINK_CLIENTS_MAX = 32, LINK_NAME_MAX = 64 };

struct unix_listener;
struct unix_listener_user;
struct link_server {
	struct lane *front;
	struct engine *engine;
	struct unix_listener *listener;
	struct list clients;
	struct list lost;  /* orders of clients that are gone, still to be carried out */
	struct list spare; /* struct link_order */
	char engine_id[ID_TEXT_MAX];
	lsn_t engine_id_lsn; /* its rule's position */
	bool quiet;
};

struct link_client {
	struct list link;
	struct link_server *server;
	struct frames frames;
	struct turn_end reap;
	bool hello, welcomed;
	uint64_t hello_request;
	struct durable_wait welcome;
	char name[LINK_NAME_MAX + 1];

	struct list orders; /* struct link_order, waiting for the disk */
	size_t waiting_bytes;

	bool subscribed, tailing;
	uint64_t subscription; /* the request */
	lsn_t next;
	struct durable_wait tail; /* something new at the end of the log */
	struct buf packed;
};

/* What was written and waits for its sync.  It outlives its client: the engine must hear of it. */
struct link_order {
	struct list link;
	struct durable_wait wait;
	struct link_server *server;
	struct link_client *client; /* NULL: gone */
	uint64_t request;
	size_t bytes;
	enum { ORDER_CONTENT, ORDER_JOB, ORDER_RULE } kind;
	job_no job;
	bool known;            /* nothing new: the engine has it */
	struct buf key, value; /* ORDER_RULE */
};

/* client.c */
int link_client_begin(struct link_server *server, int fd) MUST_CHECK;
void link_client_end(struct link_client *c);
void link_client_acknowledge(struct link_client *c, uint64_t request, lsn_t lsn);
void link_client_wait(struct link_client *c, struct link_order *o, uint64_t request, size_t bytes,
		      lsn_t lsn);
struct link_order *link_order_take(struct link_server *server);
void link_order_give(struct link_order *o);

/* orders.c */
void link_client_order(struct link_client *c, const struct link_frame *f);

/* feed.c */
int link_feed_begin(struct link_client *c, uint64_t request, lsn_t from) MUST_CHECK;
void link_feed_go_on(struct link_client *c);
