/* mta/submit/sender.h - who may submit as whom, and to whom (RFC 6409 sections 6.1 to 6.3); for the
 * files of this folder alone.
 *
 * Who submits is known by the client's credential (mta/credentials), else by the network that it is
 * in (submission.tenants); where that says nothing, by the domain of MAIL FROM.  The domain of MAIL
 * FROM, and that of every address in From and Sender, must be a sender domain of the same tenant
 * (mta/senders/senders.h), and one of those that the credential lists, where it lists any.  The
 * null sender is never refused for itself (section 3.2): From decides then.
 *
 * Guarantee: a reply is SMTPD_GO_ON, or it begins with "550 5.7.1", or with "451 4.7.1" where the
 *            control plane has yet to say who may send, or with "452 4.3.1" where the tenant's
 *            queue is full.  It is good until the next.
 * Threads: the lane's. */
#pragma once
#include "mta/submit/lane.h"

struct slice submit_sender_mail(void *state, struct smtpd_session *s);
struct slice submit_sender_rcpt(struct submit_lane *on, struct smtpd_session *s,
				const struct mailbox *to);
/* The header that came; ret: whose message it is, tenant 0 when it is nobody's. */
struct slice submit_sender_author(struct submit_lane *on, struct smtpd_session *s,
				  struct slice header, struct known_sender *ret);
