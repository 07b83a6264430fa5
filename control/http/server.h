/* control/http/server.h - the listeners and the workers that answer.
 *
 * One thread per listener moves bytes (libmicrohttpd, epoll) and never waits for the database.  A
 * whole request is suspended, queued and answered by one of http.workers threads, each of which has
 * its own connection to the database.
 *
 * Owns:   http_server_start() gives the caller the server; http_server_stop() answers the requests
 *         that were taken, then ends it.
 * Limits: headers 16 KiB, http.connections per listener and http.connections_per_address of them
 *         for one address (control/http/guests.h), http.queue requests waiting. */
#pragma once
#include "control/app/app.h"

struct http_gate;
struct http_server;
int http_server_start(struct http_server **ret, struct app *app, const struct http_gate *gate,
		      char *error) MUST_CHECK;
struct http_server *http_server_stop(struct http_server *s);
/* Reads the files of TLS again. */
void http_server_reload(struct http_server *s);
/* Where a listener really is, for port 0: "127.0.0.1:41234" in buf of 128 bytes; "" when off. */
const char *http_server_address(const struct http_server *s, unsigned listener, char *buf);
