/* control/http/guests.h - the connections of one listener: how many there may be, how long each may
 * take, and who goes first when there is no room.
 *
 * A connection that waits for its peer (for a head, a body, or to take a reply) has a deadline that
 * a trickle of bytes does not move: head and reply as a whole, a body by its least rate.  When all
 * places or those of one address (IPv4, IPv6 by /64) are taken, the connection that has waited
 * longest goes, so that somebody new is always heard.  One that is being answered never goes.
 *
 * Owns:    a guest lives from http_guests_enter() to http_guest_leave(), which come with the
 *          opening and before the closing of its descriptor; going is shutdown(2) of it.
 * Threads: any; each function takes the lock for a moment, and none waits. */
#pragma once
#include "base/address.h"

enum http_guest_stage {
	GUEST_HEAD,  /* its first request is awaited */
	GUEST_KEPT,  /* it was answered, and may ask again */
	GUEST_BODY,  /* the head is here, the body comes */
	GUEST_BUSY,  /* it is being answered: no deadline */
	GUEST_REPLY, /* the reply is on its way */
};
struct http_guest_rules {
	unsigned most, most_per_address;
	int64_t head_ms, kept_ms, body_ms; /* body_ms is also the time for a reply */
	int64_t rate;                      /* bytes per second that extend body and reply */
};

struct http_guests;
struct http_guest;
struct http_guests *http_guests_new(const struct http_guest_rules *rules);
struct http_guests *http_guests_free(struct http_guests *g); /* all have left */
/* ip of family 0 (a Unix socket) and a proxy's (shared) are not counted by address.  The guest may
 * be gone at once: then every other one is busy. */
struct http_guest *http_guests_enter(struct http_guests *g, int fd, const struct ip *ip,
				     bool shared, int64_t now_ms);
void http_guest_leave(struct http_guest *guest);
/* bytes: of the body so far, or of the reply; NULL for guest is harmless. */
void http_guest_stage(struct http_guest *guest, enum http_guest_stage stage, uint64_t bytes,
		      int64_t now_ms);
/* Sends away those whose deadline has passed; returns how many. */
unsigned http_guests_sweep(struct http_guests *g, int64_t now_ms);
/* Places taken, and how many went since the start: for want of room, and for want of time. */
struct http_guest_counts {
	uint64_t here, crowded, late;
};
struct http_guest_counts http_guests_counts(struct http_guests *g);
