/* mta/policy/fetch.h - the door to HTTPS: one request to an address that was looked at before.  The
 * real one (fetch_curl.c) is libcurl on a thread of its own, because TLS and reading authorities
 * would hold up a lane; tests/sim/fetch_sim.c answers from a script.
 *
 *  - HTTPS alone, with a certificate that is valid for the name (RFC 6125); no proxy, no cookies;
 *  - only to the addresses given: the name is not resolved again;
 *  - no redirect is followed (RFC 8461 section 3.3);
 *  - bounded: FETCH_BYTES_MAX bytes of answer, FETCH_MS_MAX in all.
 *
 * Owns:    fetcher_new() gives the caller the fetcher.  A fetch is the caller's, and is left alone
 *          once done() was called.
 * Blocks:  fetcher_free() until the thread has ended, which it does at once.
 * Threads: fetch_begin() any; done() on the fetcher's thread.
 * Fails:   `fault` says why; fetcher_free() ends what is under way without a call of done().
 * Limits:  FETCH_AT_ONCE at a time; FETCH_WAITING_MAX wait in line, more are refused. */
#pragma once
#include "base/address.h"
#include "base/buf.h"
#include "base/list.h"

enum {
	FETCH_BYTES_MAX = 64 * 1024,
	FETCH_MS_MAX = 60 * 1000,
	FETCH_CONNECT_MS_MAX = 15 * 1000,
	FETCH_AT_ONCE = 16,
	FETCH_WAITING_MAX = 4096,
	FETCH_IPS_MAX = 8,
	FETCH_FAULT_MAX = 128,
};
enum fetch_fault {
	FETCH_OK,          /* an answer came, whatever its status */
	FETCH_FAILED,      /* no answer */
	FETCH_CERTIFICATE, /* the certificate is not valid */
};

struct fetch {
	struct list link; /* the fetcher's */
	/* Set by the caller; the texts must live until done(). */
	const char *host, *path;
	uint16_t port; /* fetch_init(): 443 */
	struct ip ips[FETCH_IPS_MAX];
	unsigned n_ips;
	struct slice upload;      /* empty: GET; else POST */
	const char *content_type; /* of the upload */
	void (*done)(struct fetch *f);
	/* The answer. */
	enum fetch_fault fault;
	char reason[FETCH_FAULT_MAX];
	unsigned status;
	bool is_text; /* its type is text/plain */
	struct buf body;
	void *state;
};
void fetch_init(struct fetch *f);
void fetch_end(struct fetch *f); /* frees the body */

struct fetcher_options {
	const char *ca_file; /* "": the system's */
	/* Called on the fetcher's thread when nothing is under way any more, and now and then. */
	void (*quiet)(void *arg);
	void *arg;
};
struct fetcher;
struct fetcher *fetcher_free(struct fetcher *f);
int fetcher_new(struct fetcher **ret, const struct fetcher_options *o) MUST_CHECK;
/* E_FULL: too many wait. */
int fetch_begin(struct fetcher *f, struct fetch *fetch) MUST_CHECK;
