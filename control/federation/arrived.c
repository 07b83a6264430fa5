/* control/federation/arrived.c - whose account it is. */
#include "control/federation/arrived.h"

#include "control/auth/arrival.h"
#include "control/auth/audit.h"
#include "control/auth/codes.h"
#include "control/auth/warn.h"
#include "control/federation/statements.h"
#include "control/http/api.h"
#include "control/contract/plain.h"
#include "control/http/problem.h"
#include "message/mailbox.h"

struct arriving {
	struct call *c;
	uint32_t org;
	const struct federation_person *p;
	char norm[MAILBOX_MAX + 2];
	struct slice email, domain; /* normalised; empty: no address that counts */
	uint64_t user;              /* 0: nobody's */
};

static json_t *about(const struct arriving *a)
{
	return json_pack("{s:o, s:o}", "provider", api_id(ID_PROVIDER, a->p->provider), "subject",
			 api_text(a->p->subject));
}

/* ---- an account that is linked ------------------------------------------------------------ */

enum { I_ID, I_USER, I_STATUS };

static int activate(struct arriving *a, int64_t status)
{
	int r =
	    db_run(a->c->db, NULL, sql_federation_arrival_active, p_int(a->org), p_int(a->user));

	if (r >= 0 && status == USER_INVITED)
		r = audit_put_user(a->c, a->org, a->user, "user.joined", about(a));
	return r < 0 ? r : 0;
}

static bool may_enter(int64_t status)
{
	return status == USER_ACTIVE || status == USER_INVITED;
}

/* 1: the account is known, and its owner is let in unless a->user is 0; 0: it is not known. */
static int find_linked(struct arriving *a)
{
	OWNED(db_result) res = NULL;
	int r = db_run(a->c->db, &res, sql_federation_identity_user, p_int(a->org),
		       p_int(a->p->provider), p_text(a->p->subject));

	if (r <= 0 || !may_enter(db_int(res, 0, I_STATUS)))
		return r;
	a->user = (uint64_t)db_int(res, 0, I_USER);
	r = db_run(a->c->db, NULL, sql_federation_identity_touch, p_int(a->org),
		   p_int(db_int(res, 0, I_ID)));
	if (r >= 0)
		r = activate(a, db_int(res, 0, I_STATUS));
	return r < 0 ? r : 1;
}

/* ---- one that is not ----------------------------------------------------------------------- */

static void read_email(struct arriving *a)
{
	struct mailbox box;
	struct slice before;

	if (!a->p->email_verified || a->p->email.n > FEDERATION_EMAIL_MAX ||
	    mailbox_parse(a->p->email, MAILBOX_CONTACT, &box) < 0)
		return;
	a->email = mailbox_normal(&box, a->norm);
	if (!slice_cut_last(a->email, '@', &before, &a->domain))
		a->email = SLICE("");
}

static int link_user(struct arriving *a, uint64_t *ret_id)
{
	OWNED(db_result) res = NULL;
	int r =
	    db_run(a->c->db, &res, sql_federation_identity_insert, p_int(a->org), p_int(a->user),
		   p_int(a->p->provider), p_text(a->p->subject), p_text(a->p->email));

	if (r < 0)
		return r;
	*ret_id = (uint64_t)db_int(res, 0, 0);
	return audit_put_user(a->c, a->org, a->user, "identity.linked", about(a));
}

enum { M_ID, M_STATUS, M_HAS_ONE };

/* 1: somebody has the address; 0: nobody. */
static int find_member(struct arriving *a)
{
	OWNED(db_result) res = NULL;
	uint64_t identity;
	int r = db_run(a->c->db, &res, sql_federation_arrival_member, p_int(a->org),
		       p_text(a->email), p_int(a->p->provider));

	if (r <= 0 || !may_enter(db_int(res, 0, M_STATUS)) || db_bool(res, 0, M_HAS_ONE))
		return r;
	a->user = (uint64_t)db_int(res, 0, M_ID);
	r = activate(a, db_int(res, 0, M_STATUS));
	if (r >= 0)
		r = link_user(a, &identity);
	return r < 0 ? r : 1;
}

static int make_member(struct arriving *a, int64_t role, struct slice own)
{
	struct slice name = slice_trim(a->p->name);
	OWNED(db_result) res = NULL;
	uint64_t identity;
	int r;

	if (!plain_line(name) || plain_length(name) > FEDERATION_NAME_MAX)
		name = SLICE("");
	r = db_run(a->c->db, &res, sql_federation_arrival_new, p_int(a->org), p_text(a->p->email),
		   p_text(a->email), p_text(name), p_int(role), p_text(own));
	if (r < 0)
		return r;
	a->user = (uint64_t)db_int(res, 0, 0);
	r = audit_put_user(a->c, a->org, a->user, "member.arrived", about(a));
	return r < 0 ? r : link_user(a, &identity);
}

enum { R_ALLOWED, R_ROLE, R_OWN };

static int meet(struct arriving *a)
{
	OWNED(db_result) rules = NULL;
	int r;

	read_email(a);
	if (!a->email.n)
		return 0;
	r = db_run(a->c->db, &rules, sql_federation_arrival_rules, p_int(a->org),
		   p_int(a->p->provider), p_text(a->domain));
	if (r <= 0 || !db_bool(rules, 0, R_ALLOWED))
		return r < 0 ? r : 0;
	r = find_member(a);
	return r != 0 ? r : make_member(a, db_int(rules, 0, R_ROLE), db_text(rules, 0, R_OWN));
}

/* ---- in, or not ---------------------------------------------------------------------------- */

static int refuse(struct arriving *a)
{
	char id[ID_OUT_MAX];
	int r = audit_put_in(a->c, a->org, "login.not_admitted",
			     ids_out(ID_PROVIDER, a->p->provider, id), about(a));

	if (r < 0)
		return r;
	(void)problem(a->c, 403, "not_admitted",
		      "this account lets nobody into this organisation: ask an admin for an "
		      "invitation, or sign in another way and link the account in your profile");
	return 0;
}

int federation_arrived(struct call *c, uint32_t org, const struct federation_person *p)
{
	struct arriving a = { .c = c, .org = org, .p = p };
	int r = p->subject.n && p->subject.n <= FEDERATION_SUBJECT_MAX ? find_linked(&a) : 1;

	if (r == 0)
		r = meet(&a);
	if (r < 0)
		return r;
	return a.user ? arrival_continue(c, org, a.user, 200) : refuse(&a);
}

int federation_link(struct call *c, const struct federation_person *p, uint64_t *ret_id)
{
	struct arriving a = { .c = c, .org = c->actor.org, .p = p, .user = c->actor.id };
	int r = p->subject.n && p->subject.n <= FEDERATION_SUBJECT_MAX ? link_user(&a, ret_id)
								       : E_SYNTAX;

	if (r == E_EXISTS)
		return problem(c, 409, "identity_taken",
			       "this account is linked already, or you have another one at this "
			       "provider: remove that first");
	return r;
}
