/* dns/question.h - one question under way; only for the files of the real resolver.
 *
 *	waiting -> udp <-> tcp -> finished
 *
 * Everybody who asks the same thing meanwhile waits for the same question.  Every try has a socket
 * of its own, connected to the server, with a random port and a random id (RFC 5452 section 9.2).
 * Nothing is freed in its own callback: a finished question rests until the next delivery. */
#pragma once
#include "dns/packet.h"
#include "dns/resolver_int.h"

struct question {
	struct resolver *r;
	struct map_link link;
	struct list list, askers;
	enum dns_type type;
	char name[DNS_NAME_MAX];  /* asked by the user */
	char alias[DNS_NAME_MAX]; /* asked of the server: name, or where its aliases led */
	unsigned aliases, tries, refusals, server;
	uint32_t ttl_s; /* the least so far */
	bool no_edns, authentic;
	uint8_t sent[PACKET_QUESTION_MAX];
	size_t sent_n;
	int fd;
	ev_io io;
	ev_timer timer;
	struct tcp_state {
		bool on;
		uint8_t length[2];
		size_t out, in;  /* bytes written, bytes read with the length */
		uint8_t *packet; /* sized by its length */
	} tcp;
};

void question_start(struct question *q);
void question_next_try(struct question *q); /* another server, or the end */
/* True when the packet ended the question or moved it on; false: it is not
 * believed, keep waiting. */
bool question_take_packet(struct question *q, const uint8_t *packet, size_t n);
void question_finish(struct question *q, struct answer *w); /* takes the reference */
void question_drop_socket(struct question *q);
void question_arm(struct question *q, int fd, int events,
		  void (*cb)(struct ev_loop *, ev_io *, int));
/* question_udp.c, question_tcp.c: -errno when there is no socket to be had */
int question_send_udp(struct question *q) MUST_CHECK;
int question_send_tcp(struct question *q) MUST_CHECK;
