/* control/http/private.h - what the files of control/http share. */
#pragma once
#include <microhttpd.h>
#include <pthread.h>

#include "base/list.h"
#include "control/http/api.h"
#include "control/http/gate.h"
#include "control/http/guests.h"
#include "control/http/problem.h"
#include "control/http/reply.h"
#include "control/http/server.h"
#include "control/http/tls.h"

struct http_options;
enum { WORKERS_MAX = 256, PATH_MAX_LEN = 2048, PATH_ARENA = 4096 };

enum { QUERY_ITEMS_MAX = 16 };
struct http_query_item {
	char *text; /* what name and value lie in */
	struct slice name, value;
};
struct http_query {
	struct http_query_item items[QUERY_ITEMS_MAX];
	unsigned n;
	bool bad; /* it could not be decoded */
};

enum request_state {
	REQ_BODY,   /* taking the body */
	REQ_GATE,   /* an upload's credentials are checked before its body is taken */
	REQ_QUEUED, /* with the workers */
	REQ_DONE,   /* reply is ready */
};

struct http_reply {
	unsigned status;
	struct buf body;
	char type[64];
	struct {
		char *name, *value;
	} headers[REPLY_HEADERS_MAX];
	unsigned n_headers;
	json_t *errors;  /* members of a 422 */
	json_t *members; /* of the problem, beside those that every one has */
	int64_t version; /* ETag; 0: none */
};

struct call_request {
	struct list link; /* queue of the workers */
	struct http_server *server;
	struct MHD_Connection *conn;
	struct http_guest *guest;
	enum http_route_listener listener;
	enum request_state state;
	int64_t began_us;
	struct http_route_match match;
	char method[16], path[PATH_MAX_LEN];
	char arena[PATH_ARENA]; /* decoded parameters */
	size_t arena_used;
	struct slice params[ROUTE_PARAMS_MAX];
	struct buf body;
	size_t body_max;
	struct http_query query;
	char *upload_path;
	int upload_fd;
	int64_t upload_bytes;
	size_t dropped;
	uint64_t taken; /* of the body, kept or dropped */
	bool keep_upload, drop_body;
	bool gated;   /* its credentials were looked at */
	bool counted; /* by the caller's limit */
	bool matched; /* If-Match was looked at */
	char rate_policy[96], rate[96];
	bool certified;
	struct http_certificate certificate;
	struct http_reply reply;
	struct call call;
};

struct http_listener {
	struct http_server *server;
	enum http_route_listener kind;
	struct MHD_Daemon *daemon;
	struct http_guests *guests;
	int fd;
	char address[128];
};

struct http_server {
	struct app *app;
	const struct http_gate *gate;
	const struct contract_operation **contract; /* of each route, by its number */
	struct http_tls *tls;                       /* NULL: no listener speaks it */
	struct http_listener listeners[3];
	pthread_mutex_t lock;
	pthread_cond_t wake, sweep;
	struct list queue;
	unsigned queued, n_workers;
	bool ending;
	pthread_t workers[WORKERS_MAX], sweeper;
	bool sweeps;
};

/* server.c */
bool http_is_proxy(const struct http_options *o, const struct ip *ip);
int request_submit(struct call_request *q) MUST_CHECK; /* to the workers; E_FULL */
void request_resume(struct call_request *q);           /* a worker is done with it */
/* request.c: libmicrohttpd's callbacks */
enum MHD_Result request_access(void *cls, struct MHD_Connection *conn, const char *url,
			       const char *method, const char *version, const char *data,
			       size_t *data_size, void **con_cls);
void request_completed(void *cls, struct MHD_Connection *conn, void **con_cls,
		       enum MHD_RequestTerminationCode why);
/* framing.c: what makes the request ambiguous, as a sentence, perhaps in buf; NULL when nothing
 * does */
enum { FRAMING_FAULT_MAX = 96 };
const char *http_framing_fault(struct MHD_Connection *conn, const char *version, char *buf);
/* The path of a request's target, which may be a whole URL (RFC 9112 section 3.2.2). */
const char *http_target_path(const char *target);
/* query.c */
void http_query_read(struct http_query *query, struct MHD_Connection *conn);
void http_query_free(struct http_query *query);
const struct http_query_item *http_query_find(const struct http_query *query, struct slice name);
int http_query_check(struct call *c) MUST_CHECK; /* 0, or 400 and E_ANSWERED */
/* contract.c */
struct contract_operation;
/* Finds each route in the document; E_UNKNOWN and why when one is not there. */
int http_contract_load(struct http_server *s, char *error) MUST_CHECK;
const struct contract_operation *http_contract_of(const struct call *c);
int http_contract_path(struct call *c) MUST_CHECK; /* 0 or E_UNKNOWN */
int http_contract_body(struct call *c) MUST_CHECK; /* 0, or a problem and E_ANSWERED */
/* cors.c */
bool http_cors_preflight(struct call_request *q); /* true: it was one, and is answered */
void http_cors_put(struct call_request *q, struct MHD_Response *res);
/* reply.c */
void http_reply_reset(struct http_reply *reply);
enum MHD_Result http_reply_send(struct call_request *q);
/* run.c: on a worker's thread */
void call_run(struct call_request *q, struct db *db);
void call_gate(struct call_request *q, struct db *db);
/* idempotency.c; all within the caller's transaction */
struct idempotency {
	struct buf key;
	uint8_t body_hash[32];
	bool on;
};
int idempotency_begin(struct call *c,
		      struct idempotency *i) MUST_CHECK; /* 1: answered from store */
int idempotency_store(struct call *c, struct idempotency *i) MUST_CHECK;
/* limits.c: 0, or 429 and E_ANSWERED */
int http_limits_address(struct call *c) MUST_CHECK; /* before the gate */
int http_limits_caller(struct call *c) MUST_CHECK;  /* after it */
void http_limits_wrong(struct call *c);             /* after its refusal */
/* metrics.c */
void http_metrics_count(const struct call_request *q);
void http_metrics_text(struct buf *out, struct http_server *s);
