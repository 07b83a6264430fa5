/* control/tracking/ticket.h - signed tickets for links in mail.  They tell us, and nobody else, who
 * the mail was sent to.
 *
 *	ticket  = base64url( version: u8, key: u8, sealed: 16 + n bytes, mac: 16 bytes )
 *	payload = org: u32, campaign: u64, seq: u32 (big-endian), address: n bytes
 *	mac     = first 16 bytes of HMAC-SHA-256( k1, version key payload )
 *	sealed  = payload XOR ChaCha20( k2, nonce = first 8 bytes of mac )
 *	version = 2; 1 in mail of older versions, whose tickets have no address
 *
 * The address is the one that the mail was written to.  So the ticket is enough to know who wants
 * no more mail: without the database, and whatever became of the contact or of the campaign.
 * The payload is masked because addresses are nobody's business, and sequence numbers would tell a
 * reader how much an organisation sends.  The same recipient always gets the same ticket, so
 * feeding again changes nothing.
 *
 * Guarantee: ticket_open() accepts only what ticket_make() made with the same key, and compares in
 *            constant time.
 * Fails:     E_SYNTAX (not a ticket), E_DENIED (forged, or an unknown key).
 * Threads:   a ticket_key does not change after ticket_key_init(). */
#pragma once
#include "control/app/app.h"
#include "message/mailbox.h"

enum {
	TICKET_TEXT_MAX = (34 + MAILBOX_MAX + 2) / 3 * 4 + 1, /* with the NUL */
	TICKET_SECRET_MIN = 32,
};

struct ticket_key {
	uint8_t id;
	uint8_t mac[32], mask[32];
};
struct ticket_subject {
	uint32_t org;
	uint64_t campaign;
	uint32_t seq;
	char address[MAILBOX_MAX + 1]; /* that was written to; "": the ledger knows it */
};

/* E_LIMIT when the secret is shorter than TICKET_SECRET_MIN. */
int ticket_key_init(struct ticket_key *key, uint8_t id, struct slice secret) MUST_CHECK;
/* The key of this instance's links. */
int ticket_key_load(const struct app *app, struct ticket_key *ret) MUST_CHECK;
/* buf holds TICKET_TEXT_MAX bytes; returns buf. */
char *ticket_make(const struct ticket_key *key, const struct ticket_subject *subject, char *buf);
int ticket_open(const struct ticket_key *key, struct slice text,
		struct ticket_subject *ret) MUST_CHECK;
