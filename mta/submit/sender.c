/* mta/submit/sender.c - the sender's domains and the suppressed recipients of a submission. */
#include "mta/submit/sender.h"

#include <stdio.h>

#include "base/log.h"
#include "message/header.h"
#include "mta/submit/room.h"

static const struct credential *credential_of(struct smtpd_session *s)
{
	return ((const struct submit_session *)smtpd_session_own(s))->cred;
}

/* The tenant that the client speaks for, by its name or else by its network; 0: any. */
static uint64_t bound_tenant(const struct submit_lane *on, struct smtpd_session *s)
{
	const struct submit_options *o = on->options;
	const struct credential *cred = credential_of(s);

	if (cred)
		return cred->tenant;
	for (unsigned i = 0; i < o->n_bound; i++)
		if (ip_net_has(&o->bound[i].net, smtpd_session_peer(s)))
			return o->bound[i].tenant;
	return 0;
}

/* Must its domains be known as its own?  Those that its credential lists always must, and those of
 * a credential that the control plane gave. */
static bool is_checked(const struct submit_lane *on, struct smtpd_session *s)
{
	const struct credential *cred = credential_of(s);

	return (cred && (cred->fed || cred->domains.n)) || senders_checked(on->senders);
}

/* Domains of tenant 0 are nobody's in particular: whoever submits may use them. */
static bool same_tenant(uint64_t a, uint64_t b)
{
	return !a || !b || a == b;
}

/* May the client use this domain, and as whom? */
static bool find(struct submit_lane *on, struct smtpd_session *s, struct slice domain,
		 struct known_sender *ret)
{
	const struct credential *cred = credential_of(s);
	uint64_t bound = bound_tenant(on, s);
	bool listed = cred && cred->domains.n && credential_names_domain(cred, domain);

	if (cred && cred->domains.n && !listed)
		return false;
	if (!senders_find(on->senders, domain, ret)) {
		/* What the control plane lists is of use while it is also a sender domain. */
		*ret = (struct known_sender){ .tenant = bound };
		return listed && !cred->fed;
	}
	if (!bound)
		return true;
	if (!same_tenant(ret->tenant, bound))
		return false;
	ret->tenant = bound;
	return true;
}

/* Who submits, as far as the network and MAIL FROM tell.  False: MAIL FROM is not a sender's. */
static bool envelope(struct submit_lane *on, struct smtpd_session *s, struct known_sender *ret)
{
	const struct mailbox *from = &smtpd_session_mail(s)->from;

	if (from->n && find(on, s, mailbox_domain(from), ret))
		return true;
	*ret = (struct known_sender){ .tenant = bound_tenant(on, s) };
	return !from->n;
}

/* What a credential lists does not change with what the control plane will say. */
static struct slice foreign(struct submit_lane *on, struct smtpd_session *s, struct slice what,
			    struct slice domain)
{
	const struct credential *cred = credential_of(s);
	bool awaited = senders_awaited(on->senders) && !(cred && cred->domains.n);
	int n = snprintf(
	    on->reply, sizeof(on->reply), "%s %.*s: %.*s is not %s\r\n",
	    awaited ? "451 4.7.1" : "550 5.7.1", (int)what.n, what.p, (int)domain.n, domain.p,
	    awaited ? "known as a sender domain yet, try again later" : "a sender domain of yours");

	count_add(&on->counters.foreign, 1);
	log_info("submission.foreign", kv_slice("field", what), kv_slice("domain", domain));
	return slice_of(on->reply, (size_t)n);
}

struct slice submit_sender_mail(void *state, struct smtpd_session *s)
{
	struct submit_lane *on = state;
	struct known_sender who;

	if (envelope(on, s, &who) || !is_checked(on, s))
		return submit_room_ask(on, who.tenant);
	return foreign(on, s, SLICE("MAIL FROM"), mailbox_domain(&smtpd_session_mail(s)->from));
}

/* Submitted mail is transactional. */
struct slice submit_sender_rcpt(struct submit_lane *on, struct smtpd_session *s,
				const struct mailbox *to)
{
	struct known_sender who;

	(void)envelope(on, s, &who);
	if (!senders_suppressed(on->senders, who.tenant, false, mailbox_text(to)))
		return SMTPD_GO_ON;
	count_add(&on->counters.suppressed, 1);
	log_info("submission.suppressed", kv_int("tenant", (int64_t)who.tenant),
		 kv_slice("to", mailbox_text(to)));
	return SLICE("550 5.7.1 this recipient is suppressed: it bounced or complained, or the "
		     "sender blocked it\r\n");
}

/* ---- the authors ------------------------------------------------------------------------- */

static bool names_author(struct slice field)
{
	return slice_eq_nocase(field, SLICE("From")) || slice_eq_nocase(field, SLICE("Sender"));
}

static struct slice check_field(struct submit_lane *on, struct smtpd_session *s,
				const struct header_field *f, struct known_sender *who)
{
	struct known_sender other;
	struct mailbox box;
	size_t pos = 0;
	unsigned n = 0;
	int r;

	while ((r = mailbox_next(f->value, &pos, MAILBOX_UTF8 | MAILBOX_QUOTED_ANY, &box)) > 0) {
		n++;
		if (!find(on, s, mailbox_domain(&box), &other) ||
		    !same_tenant(who->tenant, other.tenant))
			return foreign(on, s, f->name, mailbox_domain(&box));
		if (other.tenant && !who->tenant)
			*who = other;
	}
	if (r < 0 || !n)
		return SLICE("550 5.7.1 From and Sender must hold addresses that can be read\r\n");
	return SMTPD_GO_ON;
}

static struct slice check_authors(struct submit_lane *on, struct smtpd_session *s,
				  struct slice header, struct known_sender *who)
{
	struct slice refusal = SMTPD_GO_ON;
	struct header_field f;
	size_t pos = 0;
	bool from = false;

	while (!refusal.n && header_next(header, &pos, &f) > 0) {
		if (!names_author(f.name))
			continue;
		refusal = check_field(on, s, &f, who);
		from |= slice_eq_nocase(f.name, SLICE("From"));
	}
	if (!refusal.n && !from)
		return SLICE("550 5.7.1 the message has no From field\r\n");
	return refusal;
}

struct slice submit_sender_author(struct submit_lane *on, struct smtpd_session *s,
				  struct slice header, struct known_sender *ret)
{
	bool known = envelope(on, s, ret);

	if (!is_checked(on, s))
		return SMTPD_GO_ON;
	if (!known) /* it was when MAIL came */
		return foreign(on, s, SLICE("MAIL FROM"),
			       mailbox_domain(&smtpd_session_mail(s)->from));
	return check_authors(on, s, header, ret);
}
