/* message/aggregate/tlsrpt.c - the JSON of TLS reports (RFC 8460 section 4). */
#include <jansson.h>

#include "message/aggregate/inside.h"

enum { POLICY_COST = 200, FAILURE_COST = 200, TLS_PLAIN_MAX = 2 * 1024 * 1024 };

static struct slice text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? slice_str(s) : slice_of("", 0);
}

static void put_text(struct room *room, struct branch *b, const char *member, struct slice text)
{
	text.n = MIN_OF(text.n, (size_t)TEXT_MOST);
	if (text.n && room_take(room, 2 * text.n + 40))
		aggregate_text(b, member, text);
}

static void put_number(struct branch *b, const char *member, const json_t *n)
{
	if (json_is_integer(n) && json_integer_value(n) >= 0)
		branch_int(b, member, json_integer_value(n));
}

static void put_failure(struct room *room, struct branch *b, const json_t *f)
{
	put_text(room, b, "result", text_of(f, "result-type"));
	put_number(b, "sessions", json_object_get(f, "failed-session-count"));
	put_text(room, b, "from", text_of(f, "sending-mta-ip"));
	put_text(room, b, "host", text_of(f, "receiving-mx-hostname"));
	put_text(room, b, "to", text_of(f, "receiving-ip"));
	put_text(room, b, "reason", text_of(f, "failure-reason-code"));
}

/* False: there is no room for all of it. */
static bool put_policy(struct room *room, struct branch *b, const json_t *p)
{
	const json_t *policy = json_object_get(p, "policy"), *sums = json_object_get(p, "summary");
	const json_t *failures = json_object_get(p, "failure-details");
	struct branch *list;

	put_text(room, b, "type", text_of(policy, "policy-type"));
	put_text(room, b, "domain", text_of(policy, "policy-domain"));
	put_number(b, "success", json_object_get(sums, "total-successful-session-count"));
	put_number(b, "failure", json_object_get(sums, "total-failure-session-count"));
	if (!json_array_size(failures))
		return true;
	list = branch_list(b, "failures");
	for (size_t i = 0; i < json_array_size(failures); i++) {
		if (!room_take(room, FAILURE_COST))
			return false;
		put_failure(room, branch_map(list, NULL), json_array_get(failures, i));
	}
	return true;
}

static int put_report(const json_t *o, struct branch *b, struct buf *identity)
{
	struct room room = { AGGREGATE_JSON_MAX - 4096 };
	const json_t *range = json_object_get(o, "date-range"),
		     *all = json_object_get(o, "policies");
	struct slice org = text_of(o, "organization-name"), id = text_of(o, "report-id");
	struct branch *list;
	bool whole = true;

	if (!id.n || !json_is_array(all))
		return E_SYNTAX;
	branch_str(b, "type", "tlsrpt");
	put_text(&room, b, "org", org);
	put_text(&room, b, "contact", text_of(o, "contact-info"));
	put_text(&room, b, "id", id);
	put_text(&room, b, "begin", text_of(range, "start-datetime"));
	put_text(&room, b, "end", text_of(range, "end-datetime"));
	list = branch_list(b, "policies");
	for (size_t i = 0; i < json_array_size(all) && whole; i++) {
		whole = room_take(&room, POLICY_COST);
		if (whole)
			whole = put_policy(&room, branch_map(list, NULL), json_array_get(all, i));
	}
	branch_bool(b, "more", !whole);
	buf_put(identity, slice_of(org.p, MIN_OF(org.n, (size_t)TEXT_MOST)));
	buf_put(identity, SLICE(" "));
	buf_put(identity, slice_of(id.p, MIN_OF(id.n, (size_t)TEXT_MOST)));
	return 0;
}

int aggregate_tls_report(struct slice json, struct branch *b, struct buf *identity)
{
	json_t *o = json.n <= TLS_PLAIN_MAX ? json_loadb(json.p, json.n, 0, NULL) : NULL;
	int r = o ? put_report(o, b, identity) : E_SYNTAX;

	json_decref(o);
	return r;
}
