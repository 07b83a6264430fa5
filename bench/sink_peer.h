/* bench/sink_peer.h - one connection of the sink: bytes in and out, in the clear or by TLS, and
 * answers that are held back for a while.
 * Owns:   peer_new() gives the caller a peer; the caller closes it as soon as a function says that
 *         it is gone (false).
 * Blocks: never; bytes that cannot be written now wait in `out` for EPOLLOUT.
 * Limits: one thread. */
#pragma once
#include <openssl/ssl.h>

#include "base/buf.h"
#include "base/list.h"
#include "bench/sink_rules.h"

enum { SINK_RCPTS_LIMIT = 100 };

/* The state of the whole program. */
struct sink_program {
	struct {
		const char *store, *stats, *cert, *key;
		int64_t delay_ms, away_ms;
		bool no_pipelining, chunking;
	} conf;
	struct {
		uint64_t connections, open, peak_open, messages, recipients, bytes, tls, resumed,
		    deferred, refused, duplicates, cut;
		int64_t first_ms, last_ms;
	} stats;
	SSL_CTX *tls;
	struct sink_rules *rules;
	int epfd;
};
extern struct sink_program sink;

struct peer {
	int fd;
	bool is_listener;
	SSL *ssl;
	char ip[48];
	struct buf in, out, body;
	bool in_data, handshaking, closing, wants_write;
	size_t chunk; /* bytes of a BDAT that are to come; in_chunk */
	bool in_chunk, last_chunk;
	size_t scanned; /* bytes of the data already searched for its end */
	char from[512];
	unsigned n_rcpts;
	char rcpts[SINK_RCPTS_LIMIT][320];
	struct list delayed; /* on the delay list while an answer is held back */
	int64_t due_ms;
	struct buf held; /* the answer that is held back */
};

struct peer *peer_new(int fd, const char *ip);
void peer_close(struct peer *p);
/* Queues an answer, after one that is held back. */
void peer_say(struct peer *p, const char *text);
/* All that waits to be sent leaves after delay_ms. */
void peer_hold_back(struct peer *p, int64_t delay_ms);
/* The same as peer_say(), after delay_ms; all later answers wait too. */
void peer_say_late(struct peer *p, const char *text, int64_t delay_ms);
void peer_start_tls(struct peer *p);
/* False when the peer is gone. */
bool peer_flush(struct peer *p);
bool peer_readable(struct peer *p);
/* Sends answers that were held back long enough.  Gives the milliseconds until the
 * next, at most 200. */
int peer_release_delayed(void);
