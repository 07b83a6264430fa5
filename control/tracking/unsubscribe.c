/* control/tracking/unsubscribe.c - /u/{token}: one-click unsubscribe (RFC 8058).
 * Guarantee: GET never changes anything, because mail scanners follow links.  POST may be repeated
 *            and has the same result each time.  A forged token is 404 like any unknown path.
 *            Without the database POST is answered too, after its record is on disk. */
#include "base/clock.h"
#include "base/log.h"
#include "control/http/call.h"
#include "control/http/reply.h"
#include "control/tracking/leave.h"
#include "control/tracking/leave_box.h"
#include "control/tracking/routes.h"

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

static int open_ticket(struct call *c, struct ticket_subject *ret)
{
	struct ticket_key key;
	int r = ticket_key_load(c->app, &key);

	if (r >= 0)
		r = ticket_open(&key, call_param(c, 0), ret);
	return r < 0 || ret->org == 0 ? E_UNKNOWN : 0;
}

static int show_page(struct call *c)
{
	struct ticket_subject who;
	int r = open_ticket(c, &who);

	http_reply_header(c, "Cache-Control", "no-store");
	return r < 0 ? r
		     : http_reply_bytes(c, 200, "text/html; charset=utf-8", slice_str(page_ask));
}

static int wait_on_disk(struct leave_box *box, struct slice ticket, const struct leave *l)
{
	struct leave_record record = { .at_ms = l->at_ms, .one_click = l->one_click };
	int r = box ? 0 : E_FULL;

	slice_copy(record.ticket, sizeof(record.ticket), ticket);
	if (r >= 0)
		r = leave_box_put(box, &record);
	if (r < 0)
		log_error("unsubscribe.lost", kv_int("org", l->who.org), kv_err("reason", r));
	return r < 0 ? E_FULL : 0;
}

/* While others wait on disk this one waits behind them; the worker that empties the box asks the
 * database for all. */
static int leave_or_wait(struct call *c, struct leave *l)
{
	struct leave_box *box = leave_box_of(c->app);
	int r = box && leave_box_waiting(box) ? E_DB : db_tx(c->db, l->who.org, leave_work, l);

	if (r >= 0 || r == E_UNKNOWN || r == E_SYNTAX)
		return r;
	return wait_on_disk(box, call_param(c, 0), l);
}

static int unsubscribe(struct call *c)
{
	struct leave l = { .at_ms = clock_wall_ms() };
	struct slice body = call_raw_body(c);
	int r = open_ticket(c, &l.who);

	l.one_click = slice_starts_nocase(body, SLICE("List-Unsubscribe=One-Click"));
	if (r >= 0)
		r = leave_or_wait(c, &l);
	http_reply_header(c, "Cache-Control", "no-store");
	return r < 0 ? r
		     : http_reply_bytes(c, 200, "text/html; charset=utf-8", slice_str(page_done));
}

const struct http_route tracking_routes[] = {
	{ "GET", "/u/{token}", AUTH_NONE, 0, 0, 0, show_page },
	{ "POST", "/u/{token}", AUTH_NONE, 0, ROUTE_BODY_ANY | ROUTE_NO_TX, 4096, unsubscribe },
};
const size_t tracking_routes_n = ARRAY_LEN(tracking_routes);
