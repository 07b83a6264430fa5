/* mta/tlsrpt/outgoing.c - one address after the other. */
#include "mta/tlsrpt/outgoing.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "message/aggregate/aggregate.h"
#include "mta/policy/public_host.h"
#include "mta/queue/queue.h"
#include "mta/tlsrpt/mailing.h"

enum { NAME_MAX_HERE = DNS_NAME_MAX + 16, LAST_GOOD = 299, FIRST_GOOD = 200 };

struct outgoing {
	struct list link;
	struct tlsrpt *of; /* NULL: the lane has ended */
	char domain[DNS_NAME_MAX];
	struct dns_query txt;
	struct reporting wanted;
	unsigned at;   /* the address that it goes to now */
	bool failed;   /* one of them did not get it */
	bool composed; /* the report is here */
	struct results_report report;
	struct buf packed;
	/* By mail. */
	struct durable_wait wait;
	job_no job;
	/* By HTTPS. */
	struct public_host reach;
	struct fetch fetch;
	struct note note;
	bool posted;
};

static void next(struct outgoing *o);

static void outgoing_free(struct outgoing *o)
{
	list_remove(&o->link);
	if (o->composed)
		(void)tree_free(o->report.json);
	buf_free(&o->packed);
	fetch_end(&o->fetch);
	free(o);
}

static void over(struct outgoing *o, bool done)
{
	struct tlsrpt *t = o->of;

	if (results_over(t->results, o->domain, done, clock_wall_ms())) {
		count_add(&t->counters.tls_reports_given_up, 1);
		log_info("tls-report.given-up", kv_str("domain", o->domain));
	}
	t->n_outgoing--;
	outgoing_free(o);
}

/* The address at hand is through with. */
static void told(struct outgoing *o, const char *what, bool done)
{
	const struct reporting_uri *u = &o->wanted.uris[o->at];
	struct tlsrpt *t = o->of;
	char where[REPORTING_SHOWN_MAX];

	(void)reporting_show(u, where);
	results_tell(t->results, o->domain, where, what, done, clock_wall_ms());
	if (!done)
		count_add(&t->counters.tls_report_tries_failed, 1);
	else if (u->https)
		count_add(&t->counters.tls_reports_posted, 1);
	else
		count_add(&t->counters.tls_reports_mailed, 1);
	log_info("tls-report.sent", kv_str("domain", o->domain), kv_str("to", where),
		 kv_str("report", o->report.id), kv_int("done", done), kv_str("result", what));
	o->failed = o->failed || !done;
	o->at++;
	next(o);
}

/* ---- by mail ----------------------------------------------------------------------------- */

static void on_durable(struct durable_wait *w, int err)
{
	struct outgoing *o = container_of(w, struct outgoing, wait);

	if (err == 0)
		queue_job_added(lane_engine(o->of->lane), o->job);
	told(o, err == 0 ? "queued" : "the spool failed", err == 0);
}

static void mail(struct outgoing *o, const char *to)
{
	const struct tlsrpt_options *c = o->of->options;
	const struct mailing m = { .from = c->from,
				   .to = to,
				   .domain = o->domain,
				   .submitter = c->domain,
				   .report = &o->report,
				   .packed = buf_data(&o->packed),
				   .now_ms = clock_wall_ms() };
	lsn_t lsn;
	int r = mailing_put(lane_engine(o->of->lane), &m, &o->job, &lsn);

	if (r == 0) {
		durable_wait_init(&o->wait, on_durable);
		lane_wait_durable(o->of->lane, &o->wait, lsn);
	} else if (r == E_EXISTS) {
		told(o, "queued before", true);
	} else {
		told(o, err_text(r), false);
	}
}

/* ---- by HTTPS ---------------------------------------------------------------------------- */

static void uploaded(struct outgoing *o)
{
	const struct fetch *f = &o->fetch;
	bool done = f->fault == FETCH_OK && f->status >= FIRST_GOOD && f->status <= LAST_GOOD;
	char what[RESULTS_WHAT_MAX];

	if (f->fault == FETCH_OK)
		(void)snprintf(what, sizeof(what), "the host answered with status %u", f->status);
	else
		(void)slice_copy(what, sizeof(what), slice_str(f->reason));
	for (char *c = what; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	fetch_end(&o->fetch);
	fetch_init(&o->fetch);
	told(o, what, done);
}

static void run_note(struct note *n, struct lane *l)
{
	struct outgoing *o = container_of(n, struct outgoing, note);

	(void)l;
	o->posted = false;
	if (o->of)
		uploaded(o);
	else
		outgoing_free(o);
}

static void on_fetched(struct fetch *f)
{
	struct outgoing *o = container_of(f, struct outgoing, fetch);

	o->note.run = run_note;
	o->posted = true;
	lane_post(o->of->lane, &o->note);
}

static void on_reached(struct public_host *r)
{
	struct outgoing *o = container_of(r, struct outgoing, reach);
	const struct reporting_uri *u = &o->wanted.uris[o->at];
	struct fetch *f = &o->fetch;
	struct fetcher *fetcher = o->of->policies->shared->fetcher;

	if (!r->n_ips) {
		told(o,
		     r->special ? "the host has only private or reserved addresses"
				: "the host has no address",
		     false);
		return;
	}
	f->host = u->host;
	f->port = u->port;
	f->path = u->text;
	memcpy(f->ips, r->ips, sizeof(r->ips));
	f->n_ips = r->n_ips;
	f->upload = buf_data(&o->packed);
	f->content_type = "application/tlsrpt+gzip";
	f->done = on_fetched;
	if (!fetcher || fetch_begin(fetcher, f) < 0)
		told(o, "too many requests wait", false);
}

static void upload(struct outgoing *o, const struct reporting_uri *u)
{
	if (public_host_ask(o->of->policies, &o->reach, slice_str(u->host), on_reached) < 0)
		told(o, "the host has no name", false);
}

/* ---- all of them ------------------------------------------------------------------------- */

static bool compose(struct outgoing *o)
{
	const struct tlsrpt_options *c = o->of->options;
	struct buf json = { 0 };
	int r = results_report(o->of->results, o->domain, c->who, c->whom_to_ask, c->domain,
			       &o->report);

	o->composed = r == 0;
	if (r == 0)
		r = json_put(&json, tree_value(o->report.json));
	if (r == 0)
		r = aggregate_pack(buf_data(&json), &o->packed);
	buf_free(&json);
	return r == 0;
}

static void next(struct outgoing *o)
{
	char where[REPORTING_SHOWN_MAX];

	while (o->at < o->wanted.n && results_told(o->of->results, o->domain,
						   reporting_show(&o->wanted.uris[o->at], where)))
		o->at++;
	if (o->at == o->wanted.n)
		over(o, !o->failed);
	else if (o->wanted.uris[o->at].https)
		upload(o, &o->wanted.uris[o->at]);
	else
		mail(o, o->wanted.uris[o->at].text);
}

/* A record that has gone: nobody wants the report any more. */
static void on_record(struct dns_query *q, const struct dns_answer *a)
{
	struct outgoing *o = container_of(q, struct outgoing, txt);

	if (a->status == E_DNS_TEMP || !o->of->options->on)
		over(o, false);
	else if (reporting_of(a, &o->wanted) < 0 || !compose(o))
		over(o, true);
	else
		next(o);
}

void outgoing_begin(struct tlsrpt *t, const char *domain)
{
	struct outgoing *o = must_alloc(sizeof(*o));
	char name[NAME_MAX_HERE];
	int n = snprintf(name, sizeof(name), "_smtp._tls.%.253s", domain);

	o->of = t;
	(void)slice_copy(o->domain, sizeof(o->domain), slice_str(domain));
	list_init(&o->link);
	list_push(&t->outgoing, &o->link);
	t->n_outgoing++;
	fetch_init(&o->fetch);
	list_init(&o->wait.link);
	dns_query_init(&o->txt, on_record);
	if (resolver_ask(t->policies->resolver, &o->txt, slice_of(name, (size_t)n), DNS_TXT) < 0)
		over(o, true); /* it was never asked for there either */
}

void outgoing_end_all(struct tlsrpt *t)
{
	struct outgoing *o;

	list_each(&t->outgoing, o, struct outgoing, link) {
		lane_wait_cancel(t->lane, &o->wait);
		list_remove(&o->link);
		if (o->posted)
			o->of = NULL;
		else
			outgoing_free(o);
	}
}
