/* tests/unit/dns/liar.h - a name server on a thread that answers, right or wrong, as a test says.
 * Owns: liar_start() opens sockets on a free loopback port; liar_stop() ends them and the
 *       thread. */
#pragma once
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/base.h"

enum { LIAR_KEEPS = 512, PACKET_MAX = 66000 };

struct liar;
struct lie { /* a packet being made */
	size_t n;
	uint8_t bytes[PACKET_MAX];
};
struct liar_question {
	struct liar *server;
	const uint8_t *bytes;
	size_t n;
	unsigned number; /* how many came before, over UDP and TCP */
	int tcp;         /* connection, or -1 */
	struct sockaddr_in from;
};
typedef void (*liar_fn)(const struct liar_question *q);

struct liar {
	int udp, listener, stop[2];
	uint16_t port;
	pthread_t thread;
	liar_fn on_udp, on_tcp; /* NULL: silence; a TCP connection is then kept open */
	atomic_uint questions;
	uint16_t ids[LIAR_KEEPS], ports[LIAR_KEEPS];
};
void liar_start(struct liar *l, liar_fn on_udp, liar_fn on_tcp);
void liar_stop(struct liar *l);

/* Header and question of an answer to q. */
void lie_start(struct lie *lie, const struct liar_question *q);
/* A record owned by the question's name (NULL) or by the wire name given; counts it. */
void lie_record(struct lie *lie, const char *owner_wire, unsigned type, uint32_t ttl,
		const void *rdata, size_t n);
void lie_rcode(struct lie *lie, unsigned rcode);
void lie_truncated(struct lie *lie);
/* To whoever asked, by the way it was asked; over TCP with the length. */
void lie_send(const struct lie *lie, const struct liar_question *q);
/* The plain truth: one A record 192.0.2.80. */
void tell_truth(const struct liar_question *q);
