/* control/reports/intake.c - reports about domains into the database, and whose mail they saw. */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/domains/options.h"
#include "control/domains/spf_term.h"
#include "control/reports/background.h"
#include "control/reports/read.h"
#include "control/reports/statements.h"

enum { DAY_MS = 86400 * 1000, RECENT = 8 };

struct waiting_report {
	struct slice json; /* must_copy() */
	char ip[IP_TEXT_MAX];
	int64_t at_ms;
	bool tls;
};
/* From which address mail left on which day: those that came last in this batch. */
struct sent_from {
	char ip[IP_TEXT_MAX];
	int64_t day;
};
enum sent_column { SENT_IP, SENT_AT, SENT_COLUMNS };

struct reports {
	struct waiting_report *waiting;
	unsigned n, cap;
	struct sent_from recent[RECENT];
	unsigned turn;
	struct db_column sent[SENT_COLUMNS];
	struct db_column nets; /* what the operator says that we send from */
};

/* ---- memory ------------------------------------------------------------------------------ */

/* The networks of domains.spf; what its other terms stand for is in the DNS of the day. */
static void load_nets(struct reports *rs, const struct domains_options *o)
{
	struct slice rest = slice_str(o->spf_include);
	struct spf_term t = { 0 };
	char ip[IP_TEXT_MAX], net[IP_TEXT_MAX + 8];

	while (spf_term_next(&rest, &t) > 0) {
		if (t.kind != SPF_IP4 && t.kind != SPF_IP6)
			continue;
		(void)snprintf(net, sizeof(net), "%s/%u", ip_format(&t.net.ip, ip), t.net.bits);
		db_column_text(&rs->nets, slice_str(net));
	}
}

static void *reports_open(const struct app *app)
{
	struct reports *rs = must_alloc(sizeof(*rs));

	db_columns_each(rs->sent, SENT_COLUMNS, db_column_init);
	db_column_init(&rs->nets);
	load_nets(rs, domains_options(app));
	return rs;
}

static void reports_clear(void *part)
{
	struct reports *rs = part;

	for (unsigned i = 0; i < rs->n; i++)
		free((char *)rs->waiting[i].json.p);
	rs->n = 0;
	memset(rs->recent, 0, sizeof(rs->recent));
	db_columns_each(rs->sent, SENT_COLUMNS, db_column_clear);
}

static void reports_close(void *part)
{
	struct reports *rs = part;

	reports_clear(rs);
	db_columns_each(rs->sent, SENT_COLUMNS, db_column_free);
	db_column_free(&rs->nets);
	free(rs->waiting);
	free(rs);
}

/* ---- taking ------------------------------------------------------------------------------ */

static bool was_seen(const struct reports *rs, struct slice ip, int64_t day)
{
	for (unsigned i = 0; i < RECENT; i++)
		if (rs->recent[i].day == day && slice_eq(ip, slice_str(rs->recent[i].ip)))
			return true;
	return false;
}

/* Nearly every event is like the one before it. */
static void reports_take(void *part, const struct link_event *e, uint64_t campaign UNUSED,
			 uint64_t seq UNUSED)
{
	struct reports *rs = part;
	int64_t day = e->at_ms / DAY_MS;
	struct sent_from *s;
	struct ip ip;

	if (e->kind != LINK_DELIVERED || !e->source.n || was_seen(rs, e->source, day) ||
	    ip_parse(e->source, &ip) < 0)
		return;
	s = &rs->recent[rs->turn++ % RECENT];
	s->day = day;
	slice_copy(s->ip, sizeof(s->ip), e->source);
	db_column_text(&rs->sent[SENT_IP], slice_str(ip_format(&ip, (char[IP_TEXT_MAX]){ 0 })));
	db_column_int(&rs->sent[SENT_AT], e->at_ms);
}

static void reports_late(void *part, const struct link_event *e, const struct intake_late *who)
{
	struct reports *rs = part;
	struct waiting_report *w;

	if (who)
		return;
	if (rs->n == rs->cap) {
		rs->cap = rs->cap ? rs->cap * 2 : 8;
		rs->waiting = must_resize(rs->waiting, rs->cap * sizeof(*rs->waiting));
	}
	w = &rs->waiting[rs->n++];
	*w = (struct waiting_report){ .json = slice_of(must_copy(e->text), e->text.n),
				      .at_ms = e->at_ms ? e->at_ms : clock_wall_ms(),
				      .tls = e->kind == LINK_TLS_REPORT };
	slice_copy(w->ip, sizeof(w->ip), e->ip);
}

/* ---- writing ----------------------------------------------------------------------------- */

enum {
	PARAM_TEXTS,
	PARAM_IDENTITY,
	PARAM_BEGIN,
	PARAM_END,
	PARAM_AT,
	PARAM_PARTIAL,
	PARAM_NETS,
	PARAM_COLUMNS,
	PARAMS_MOST = PARAM_COLUMNS + ROW_COLUMNS + AUTH_COLUMNS,
};

static struct db_param time_param(int64_t ms)
{
	return ms ? p_int(ms) : p_null();
}

static unsigned add_columns(struct db_param *params, unsigned at, struct db_column *c, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		params[at++] = p_str(db_column_array(&c[i]));
	return at;
}

static int put_report(struct reports *rs, struct db *db, const struct waiting_report *w,
		      struct domain_report *r)
{
	struct db_param params[PARAMS_MOST];
	struct db_column texts;
	unsigned n = PARAM_COLUMNS;
	int done;

	db_column_init(&texts); /* as a column they are made fit for the database */
	db_column_text(&texts, r->org);
	db_column_text(&texts, r->email);
	db_column_text(&texts, r->id);
	db_column_text(&texts, r->domain);
	db_column_text(&texts, slice_str(r->policy));
	db_column_text(&texts, slice_str(w->ip));
	params[PARAM_TEXTS] = p_str(db_column_array(&texts));
	params[PARAM_IDENTITY] = p_bytes(slice_of(r->identity, REPORT_IDENTITY));
	params[PARAM_BEGIN] = time_param(r->begin_ms);
	params[PARAM_END] = time_param(r->end_ms);
	params[PARAM_AT] = p_int(w->at_ms);
	params[PARAM_PARTIAL] = p_bool(r->partial);
	params[PARAM_NETS] = p_str(db_column_array(&rs->nets));
	n = add_columns(params, n, w->tls ? r->policies : r->rows,
			w->tls ? POLICY_COLUMNS : ROW_COLUMNS);
	n = add_columns(params, n, w->tls ? r->failures : r->auths,
			w->tls ? FAILURE_COLUMNS : AUTH_COLUMNS);
	done = db_query(db, NULL, w->tls ? sql_reports_tls_put : sql_reports_dmarc_put, params, n);
	db_column_free(&texts);
	return done;
}

/* The engine does not tell what it could not read; nothing may stop the events behind it. */
static int write_report(struct reports *rs, struct db *db, const struct waiting_report *w)
{
	struct domain_report r;
	int done = domain_report_read(w->json, w->tls, &r);

	if (done < 0) {
		log_warn("reports.unreadable", kv_str("kind", w->tls ? "tls" : "dmarc"),
			 kv_str("from", w->ip));
		return 0;
	}
	done = put_report(rs, db, w, &r);
	domain_report_free(&r);
	return done;
}

static int reports_write(void *part, struct db *db, int64_t engine UNUSED)
{
	struct reports *rs = part;
	int r = db_columns_run(db, sql_reports_sent, rs->sent, SENT_COLUMNS, NULL, 0);

	for (unsigned i = 0; i < rs->n && r >= 0; i++)
		r = write_report(rs, db, &rs->waiting[i]);
	return r;
}

const struct intake_part reports_intake = {
	.open = reports_open,
	.close = reports_close,
	.clear = reports_clear,
	.take = reports_take,
	.late = reports_late,
	.write = reports_write,
};
