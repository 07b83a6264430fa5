/* control/reports/reports.c - what others report about a domain. */
#include "control/auth/permit.h"
#include "control/http/api.h"
#include "control/http/page.h"
#include "control/http/problem.h"
#include "control/http/reply.h"
#include "control/reports/codes.h"
#include "control/reports/routes.h"
#include "control/reports/statements.h"
#include "message/mailbox.h"

enum { FAILURES_SHOWN = 100 };

/* By id ("dom_...") or name. */
static int find_domain(struct call *c, int64_t *ret)
{
	char buf[MAILBOX_MAX + 2];
	struct slice which = call_param(c, 0), name = { 0 };
	OWNED(db_result) row = NULL;
	uint64_t id = 0;
	int r;

	if (ids_in(ID_DOMAIN, which, &id) < 0 &&
	    mailbox_domain_parse(which, MAILBOX_CONTACT, buf, &name) < 0)
		return E_UNKNOWN;
	r = db_run(c->db, &row,
		   "SELECT id FROM domains WHERE org_id = $1 AND (id = $2 OR name = $3)",
		   p_int(c->actor.org), p_int(id), p_opt(name));
	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	*ret = db_int(row, 0, 0);
	return 0;
}

/* ---- DMARC ------------------------------------------------------------------------------- */

enum {
	D_ID,
	D_REPORTER,
	D_EMAIL,
	D_REPORT_ID,
	D_ABOUT,
	D_BEGIN,
	D_END,
	D_POLICY,
	D_MESSAGES,
	D_OURS,
	D_FORWARDED,
	D_STRANGERS,
	D_PARTIAL,
	D_RECEIVED,
	D_IP,
};

static json_t *dmarc_json(const struct db_result *r, unsigned i)
{
	return json_pack(
	    "{so so so so so so so so sI sI sI sI sb so so}", "id",
	    api_id(ID_DMARC, (uint64_t)db_int(r, i, D_ID)), "reporter",
	    api_text(db_text(r, i, D_REPORTER)), "email", api_text(db_text(r, i, D_EMAIL)),
	    "report_id", api_text(db_text(r, i, D_REPORT_ID)), "about",
	    api_text(db_text(r, i, D_ABOUT)), "begin", api_time(db_int(r, i, D_BEGIN)), "end",
	    api_time(db_int(r, i, D_END)), "policy", api_text(db_text(r, i, D_POLICY)), "messages",
	    (json_int_t)db_int(r, i, D_MESSAGES), "ours", (json_int_t)db_int(r, i, D_OURS),
	    "forwarded", (json_int_t)db_int(r, i, D_FORWARDED), "strangers",
	    (json_int_t)db_int(r, i, D_STRANGERS), "partial", db_bool(r, i, D_PARTIAL),
	    "received_at", api_time(db_int(r, i, D_RECEIVED)), "received_from",
	    api_text(db_text(r, i, D_IP)));
}

static int list_dmarc(struct call *c)
{
	int64_t domain;
	int r = find_domain(c, &domain);

	return r < 0 ? r
		     : page_list(c, dmarc_json, sql_reports_dmarc_page, p_int(c->actor.org),
				 p_int(domain), PAGE_AFTER, PAGE_LIMIT);
}

enum {
	DR_NTH,
	DR_IP,
	DR_COUNT,
	DR_WHOSE,
	DR_DISPOSITION,
	DR_DKIM,
	DR_SPF,
	DR_HEADER_FROM,
	DR_ENVELOPE_FROM,
	DR_REASON,
	DR_SIGNERS,
};

static const char *const whose_names[] = {
	"",
	[WHOSE_OURS] = "ours",
	[WHOSE_FORWARDED] = "forwarded",
	[WHOSE_STRANGER] = "stranger",
};

static json_t *dmarc_row_json(const struct db_result *r, unsigned i)
{
	return json_pack(
	    "{so sI ss so so so so so so so}", "ip", api_text(db_text(r, i, DR_IP)), "count",
	    (json_int_t)db_int(r, i, DR_COUNT), "whose", whose_names[db_int(r, i, DR_WHOSE)],
	    "disposition", api_text(db_text(r, i, DR_DISPOSITION)), "dkim",
	    api_text(db_text(r, i, DR_DKIM)), "spf", api_text(db_text(r, i, DR_SPF)), "header_from",
	    api_text(db_text(r, i, DR_HEADER_FROM)), "envelope_from",
	    api_text(db_text(r, i, DR_ENVELOPE_FROM)), "reason", api_text(db_text(r, i, DR_REASON)),
	    "signers", api_text(db_text(r, i, DR_SIGNERS)));
}

static int whose_parse(struct slice word)
{
	for (int i = WHOSE_OURS; i <= WHOSE_STRANGER; i++)
		if (slice_eq(word, slice_str(whose_names[i])))
			return i;
	return 0;
}

static int list_dmarc_rows(struct call *c)
{
	struct slice word = call_query(c, "whose");
	int whose = word.n ? whose_parse(word) : 0;
	uint64_t id = 0;
	int64_t domain = 0;
	int r = find_domain(c, &domain);

	if (r >= 0 && word.n && !whose)
		return problem(c, 400, "invalid_filter",
			       "whose must be ours, forwarded or stranger");
	if (r >= 0)
		r = call_id(c, 1, ID_DMARC, &id);
	if (r >= 0)
		r = db_run(c->db, NULL, sql_reports_dmarc_find, p_int(c->actor.org), p_int(domain),
			   p_int(id));
	if (r == 0)
		return E_UNKNOWN;
	return r < 0 ? r
		     : page_list(c, dmarc_row_json, sql_reports_dmarc_rows, p_int(c->actor.org),
				 p_int(id), PAGE_AFTER, p_int(whose), PAGE_LIMIT);
}

/* ---- TLS --------------------------------------------------------------------------------- */

enum {
	T_ID,
	T_REPORTER,
	T_CONTACT,
	T_REPORT_ID,
	T_ABOUT,
	T_BEGIN,
	T_END,
	T_POLICY,
	T_SUCCESS,
	T_FAILURE,
	T_PARTIAL,
	T_RECEIVED,
	T_IP,
	T_FAILURES,
};

static json_t *tls_json(const struct db_result *r, unsigned i)
{
	struct slice failures = db_text(r, i, T_FAILURES);

	return json_pack(
	    "{so so so so so so so so sI sI sb so so so}", "id",
	    api_id(ID_TLS, (uint64_t)db_int(r, i, T_ID)), "reporter",
	    api_text(db_text(r, i, T_REPORTER)), "contact", api_text(db_text(r, i, T_CONTACT)),
	    "report_id", api_text(db_text(r, i, T_REPORT_ID)), "about",
	    api_text(db_text(r, i, T_ABOUT)), "begin", api_time(db_int(r, i, T_BEGIN)), "end",
	    api_time(db_int(r, i, T_END)), "policy", api_text(db_text(r, i, T_POLICY)), "success",
	    (json_int_t)db_int(r, i, T_SUCCESS), "failure", (json_int_t)db_int(r, i, T_FAILURE),
	    "partial", db_bool(r, i, T_PARTIAL), "received_at", api_time(db_int(r, i, T_RECEIVED)),
	    "received_from", api_text(db_text(r, i, T_IP)), "failures",
	    json_loadb(failures.p, failures.n, 0, NULL));
}

static int list_tls(struct call *c)
{
	int64_t domain;
	int r = find_domain(c, &domain);

	return r < 0 ? r
		     : page_list(c, tls_json, sql_reports_tls_page, p_int(c->actor.org),
				 p_int(domain), PAGE_AFTER, PAGE_LIMIT, p_int(FAILURES_SHOWN));
}

#define REPORT(name) "/v1/domains/{domain_id}/" name
const struct http_route reports_routes[] = {
	{ "GET", REPORT("dmarc"), AUTH_MEMBER, PERMIT_DOMAINS_READ, 0, 0, list_dmarc },
	{ "GET", REPORT("dmarc/{report_id}/rows"), AUTH_MEMBER, PERMIT_DOMAINS_READ, 0, 0,
	  list_dmarc_rows },
	{ "GET", REPORT("tls-reports"), AUTH_MEMBER, PERMIT_DOMAINS_READ, 0, 0, list_tls },
};
const size_t reports_routes_n = ARRAY_LEN(reports_routes);
