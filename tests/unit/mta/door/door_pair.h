/* tests/unit/mta/door/door_pair.h - two ends of a connection over loopback, on one real loop. */
#pragma once
#include "mta/door/conn.h"

struct end {
	struct conn_user user;
	struct loop *loop;
	struct conn *conn;
	struct buf in;
	int opened, writable, tls_done, failed, err;
	bool eof, keep_input, free_on_event;
	size_t to_send, sent, most_unsent, stop_at;
};

struct pair {
	struct loop loop;
	struct end client, server;
	int listener;
};

/* Runs until a callback stops the loop, or `ms` passed: then false. */
bool run(struct loop *l, int64_t ms);
void settle(struct loop *l);            /* lets what is under way happen */
int listen_fd(struct conn_target *ret); /* on a free port of 127.0.0.1 */
void end_init(struct end *e, struct loop *l);
void take_input(struct end *e);
void assert_pattern(struct slice s);                /* as to_send makes it */
void pair_open(struct pair *p, const char *source); /* source: NULL, or an address */
void pair_close(struct pair *p);
