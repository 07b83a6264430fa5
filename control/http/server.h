/* control/http/server.h - the listeners and the workers that answer.
 * One thread a listener moves bytes (libmicrohttpd, epoll) and never waits for the database: a
 * whole request is suspended, queued and answered by one of http.workers threads, each with a
 * connection. Owns:    server_start() gives the caller the server; server_stop() answers what was
 * taken, then ends it. Limits:  headers 16 KiB, http.connections a listener, http.queue requests
 * waiting. */
#pragma once
#include "control/app.h"

struct server;
int server_start(struct server **ret, struct app *app, char *error) MUST_CHECK;
struct server *server_stop(struct server *s);
/* Where a listener really is, for port 0: "127.0.0.1:41234" in buf of 128 bytes; "" when off. */
const char *server_address(const struct server *s, unsigned listener, char *buf);
