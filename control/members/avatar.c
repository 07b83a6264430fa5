/* control/members/avatar.c - the picture of the person logged in, and the address that it has.
 *
 * The address is served without a credential, because <img> sends none to programs' servers:
 *
 *	address = org (13 letters) chance (26 letters, 130 bits)
 *
 * It is drawn anew for each picture, so that one which was taken away is gone for everybody. */
#include "control/auth/audit.h"
#include "control/auth/profile.h"
#include "control/http/api.h"
#include "control/http/problem.h"
#include "control/http/reply.h"
#include "control/members/picture.h"
#include "control/members/routes.h"
#include "control/members/statements.h"

enum { CHANCE_LETTERS = 26, ADDRESS_LEN = ID_LETTERS + CHANCE_LETTERS };

static void draw_address(uint32_t org, char address[ID_OUT_MAX + CHANCE_LETTERS])
{
	(void)ids_letters(ID_ORG, org, address);
	ids_random(address + ID_LETTERS, CHANCE_LETTERS);
}

static int changed(struct call *c, const char *action)
{
	int r = db_run(c->db, NULL, sql_members_avatar_changed, p_int(c->actor.org),
		       p_int(c->actor.id));

	return r < 0 ? r : audit_put_id(c, action, ID_USER, c->actor.id, NULL);
}

static int put_avatar(struct call *c)
{
	char address[ID_OUT_MAX + CHANCE_LETTERS];
	struct buf clean = { 0 };
	struct picture p;
	int r = picture_clean(call_raw_body(c), &p, &clean);

	if (r < 0) {
		buf_free(&clean);
		return problem(c, 422, "invalid_picture",
			       "this is no PNG and no JPEG of at most %d by %d pixels, or it is "
			       "damaged",
			       PICTURE_SIDE_MAX, PICTURE_SIDE_MAX);
	}
	draw_address(c->actor.org, address);
	r = db_run(c->db, NULL, sql_members_avatar_set, p_int(c->actor.org), p_int(c->actor.id),
		   p_str(address), p_int(p.kind), p_bytes(buf_data(&clean)));
	buf_free(&clean);
	if (r >= 0)
		r = changed(c, "user.avatar_set");
	return r < 0
		   ? r
		   : http_reply_json(
			 c, 200, json_pack("{s:o}", "avatar", profile_avatar(slice_str(address))));
}

static int delete_avatar(struct call *c)
{
	int r =
	    db_run(c->db, NULL, sql_members_avatar_remove, p_int(c->actor.org), p_int(c->actor.id));

	if (r == 0)
		return E_UNKNOWN;
	if (r > 0)
		r = changed(c, "user.avatar_removed");
	return r < 0 ? r : http_reply_empty(c, 204);
}

/* ---- serving ------------------------------------------------------------------------------- */

struct serving {
	struct call *c;
	uint32_t org;
};
enum { F_KIND, F_BYTES };

/* A browser that opens it by itself saves it, runs nothing, and takes it for nothing else. */
static int serve(struct db *db, void *arg)
{
	struct serving *s = arg;
	OWNED(db_result) res = NULL;
	int r =
	    db_run(db, &res, sql_members_avatar_find, p_int(s->org), p_text(call_param(s->c, 0)));

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	enum picture_kind kind = (enum picture_kind)db_int(res, 0, F_KIND);
	r = http_reply_bytes(s->c, 200, picture_type(kind), db_bytes(res, 0, F_BYTES));
	http_reply_header(s->c, "Content-Disposition", "attachment; filename=\"avatar.%s\"",
			  picture_suffix(kind));
	http_reply_header(s->c, "Content-Security-Policy", "default-src 'none'; sandbox");
	http_reply_header(s->c, "Cache-Control", "private, max-age=300");
	return r;
}

static int get_avatar(struct call *c)
{
	struct serving s = { .c = c };
	struct slice address = call_param(c, 0);
	uint64_t org = 0;

	if (address.n != ADDRESS_LEN ||
	    ids_from_letters(ID_ORG, slice_of(address.p, ID_LETTERS), &org) < 0 || org == 0 ||
	    org > INT32_MAX)
		return E_UNKNOWN;
	s.org = (uint32_t)org;
	return db_tx(c->db, s.org, serve, &s);
}

#define UPLOADED (ROUTE_BODY_ANY | ROUTE_COSTLY | ROUTE_SUSPENDED_TOO)
/* clang-format off */
const struct http_route members_avatar_routes[] = {
	{"PUT",    "/v1/me/avatar",        AUTH_SESSION, 0, UPLOADED, PICTURE_BYTES_MAX, put_avatar},
	{"DELETE", "/v1/me/avatar",        AUTH_SESSION, 0, ROUTE_SUSPENDED_TOO, 0, delete_avatar},
	{"GET",    "/v1/avatars/{avatar}", AUTH_NONE,    0, ROUTE_NO_TX,         0, get_avatar   },
};
/* clang-format on */
const size_t members_avatar_routes_n = ARRAY_LEN(members_avatar_routes);
