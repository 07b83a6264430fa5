/* control/http/cors.h - pages of other origins that may read answers of the API: which origins
 * which organisation lists, kept in memory, so that no request asks the database.
 *
 * The answer to a page of another origin says Access-Control-Allow-Origin only when the caller's
 * organisation lists that origin, or api.origins does.  It never allows cookies.  A preflight has
 * no credentials, so it is answered when any organisation lists the origin.
 *
 * Owns:    a list is the caller's until http_cors_use() takes it.
 * Threads: one makes a list; all may ask.
 * Limits:  as many origins as organisations may list (CORS_ORIGINS_MAX each). */
#pragma once
#include "base/base.h"

enum { CORS_ORIGINS_MAX = 20 };

struct http_cors_list;
struct http_cors_list *http_cors_list_new(void);
void http_cors_list_add(struct http_cors_list *l, uint32_t org, struct slice origin);
struct http_cors_list *http_cors_list_free(struct http_cors_list *l); /* one that is not used */
/* Takes the place of the one before. */
void http_cors_use(struct http_cors_list *l);
/* 0 stands for any organisation. */
bool http_cors_lists(uint32_t org, struct slice origin);
