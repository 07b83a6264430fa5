/* control/tracking/unsubscribe.c - /u/{token}: one-click unsubscribe (RFC 8058).
 * Guarantee: GET never changes anything, because mail scanners follow links.  POST may be repeated
 *            and has the same result each time.  A forged token is 404 like any unknown path. */
#include "control/http/call.h"
#include "control/http/reply.h"
#include "control/suppression/suppress.h"
#include "control/tracking/routes.h"
#include "control/tracking/statements.h"
#include "control/tracking/ticket.h"

static const char page_ask[] =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
    "content=\"width=device-width\">"
    "<meta name=\"robots\" content=\"noindex\"><title>Unsubscribe</title>"
    "<h1>Unsubscribe</h1><p>Do you want to stop receiving mail from this sender?</p>"
    "<form method=\"post\"><input type=\"hidden\" name=\"confirm\" value=\"yes\">"
    "<button type=\"submit\">Unsubscribe</button></form></html>\n";
static const char page_done[] =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
    "content=\"width=device-width\">"
    "<meta name=\"robots\" content=\"noindex\"><title>Unsubscribed</title>"
    "<h1>Unsubscribed</h1><p>You will not receive any more mail from this sender.</p></html>\n";

struct leaving {
	struct app *app;
	struct ticket_subject who;
	bool one_click;
};

static int open_ticket(struct call *c, struct ticket_subject *ret)
{
	struct ticket_key key;
	int r = ticket_key_load(c->app, &key);

	if (r >= 0)
		r = ticket_open(&key, call_param(c, 0), ret);
	return r < 0 || ret->org == 0 ? E_UNKNOWN : 0;
}

static int suppress_contact(struct db *db, const struct leaving *l, int64_t contact,
			    struct slice email)
{
	struct suppress_address a;
	int r = suppress_address_parse(email, &a);

	if (r >= 0)
		r = suppress_add(l->app, db, l->who.org, &a, SUPPRESS_UNSUBSCRIBED, "link",
				 l->who.campaign);
	if (r >= 0)
		r = db_run(db, NULL, sql_tracking_contact_leaves, p_int(l->who.org),
			   p_int(contact));
	return r;
}

enum { R_CONTACT, R_EMAIL };

static int work_leave(struct db *db, void *arg)
{
	const struct leaving *l = arg;
	OWNED(db_result) row = NULL;
	int r = db_run(db, &row, sql_tracking_recipient, p_int(l->who.org), p_int(l->who.campaign),
		       p_int(l->who.seq));

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	r = db_run(db, NULL, sql_tracking_unsubscribe, p_int(l->who.org), p_int(l->who.campaign),
		   p_int(l->who.seq), p_bool(l->one_click));
	if (r >= 0 &&
	    !db_is_null(row, 0, R_EMAIL)) /* else the contact was erased: nothing is left to stop */
		r = suppress_contact(db, l, db_int(row, 0, R_CONTACT), db_text(row, 0, R_EMAIL));
	return r;
}

static int show_page(struct call *c)
{
	struct ticket_subject who;
	int r = open_ticket(c, &who);

	http_reply_header(c, "Cache-Control", "no-store");
	return r < 0 ? r
		     : http_reply_bytes(c, 200, "text/html; charset=utf-8", slice_str(page_ask));
}

static int unsubscribe(struct call *c)
{
	struct leaving l = { .app = c->app };
	struct slice body = call_raw_body(c);
	int r = open_ticket(c, &l.who);

	l.one_click = slice_starts_nocase(body, SLICE("List-Unsubscribe=One-Click"));
	if (r >= 0)
		r = db_tx(c->db, l.who.org, work_leave, &l);
	http_reply_header(c, "Cache-Control", "no-store");
	return r < 0 ? r
		     : http_reply_bytes(c, 200, "text/html; charset=utf-8", slice_str(page_done));
}

const struct http_route tracking_routes[] = {
	{ "GET", "/u/{token}", AUTH_NONE, 0, 0, 0, show_page, .query = QUERY_ANY },
	{ "POST", "/u/{token}", AUTH_NONE, 0, ROUTE_BODY_ANY | ROUTE_NO_TX, 4096, unsubscribe,
	  .query = QUERY_ANY },
};
const size_t tracking_routes_n = ARRAY_LEN(tracking_routes);
