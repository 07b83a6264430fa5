/* mta/submit/fields.h - what a message says to us alone, in fields of its header that leave before
 * anything else is done with it; for the files of this folder alone.
 *
 *	X-Postern-Stream     a word; "bulk": the message is no transactional one
 *	X-Postern-Campaign   a word, the tenant's own
 *	X-Postern-Tag        text of FIELDS_TAG_MAX bytes
 *	X-Postern-Metadata   a flat JSON object of FIELDS_METADATA_MAX bytes (metadata.h)
 *	X-Postern-Send-At    a moment (when.h), not later than submission.hold_max from now
 *	X-Postern-Engaged    "yes" or "no": its recipients read this sender's mail, and go
 *	                     first from a new source (mta/warmup)
 *	X-Postern-Pool       a pool that the credential names, or that of the sender domain
 *
 * word = 1 to 64 letters, digits, "-", "_" and "."
 *
 * Guarantee: a field that stands twice, or says what it may not, refuses the message, and the reply
 *            names the field.
 * Guarantee: a campaign's number has the tenant in it and is none of the control plane's: nobody
 *            can name another's.
 * Owns:    the values are the lane's until the next message.
 * Limits:  values may be folded; they are FIELDS_METADATA_MAX bytes at most. */
#pragma once
#include "mta/submit/lane.h"

enum { FIELDS_TAG_MAX = 128, FIELDS_METADATA_MAX = 4096 };

/* Takes them out of the message.  SMTPD_GO_ON: *ret has what they say. */
struct slice submit_fields_take(struct submit_lane *on, struct smtpd_mail *m,
				struct submit_asked *ret);
/* May this sender ask for that?  Fills in what the credential says where the message says nothing.
 * */
struct slice submit_fields_check(struct submit_lane *on, const struct credential *cred,
				 const struct known_sender *who, struct submit_asked *asked);
uint64_t submit_fields_campaign(uint64_t tenant, struct slice name);
