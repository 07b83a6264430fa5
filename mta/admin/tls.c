/* mta/admin/tls.c - postern tls explain: records, policy, decision, and what became of it last. */
#include <stdio.h>

#include "base/clock.h"
#include "mta/admin/commands.h"
#include "mta/policy/sts_ask.h"
#include "mta/shape/part.h"
#include "mta/site/explain.h"
#include "mta/site/shaping.h"
#include "mta/site/way.h"
#include "mta/tlsrpt/tlsrpt.h"

static struct slice domain_of(const struct query *q)
{
	return selector_find(&q->selector, SELECT_DOMAIN)->text;
}

int admin_begin_tls_explain(struct query *q)
{
	int r = query_selector(q);

	if (r == 0 && !selector_is(&q->selector, SELECT_DOMAIN)) {
		(void)snprintf(q->fault, sizeof(q->fault), "expected a domain");
		return E_SYNTAX;
	}
	return r;
}

/* ---- what became of it, on the lane that has the domain ---------------------------------- */

static void put_result(struct branch *row, const struct site *s)
{
	branch_str(row, "site", s->name);
	branch_int(row, "session_ms", s->session_ms);
	branch_slice(row, "tls_version", s->last.version);
	branch_slice(row, "tls_cipher", s->last.cipher);
	branch_str(row, "tls_policy", s->session_ms ? policy_applied_name(s->last_applied) : "");
	branch_str(row, "tls_verified_by", policy_proof_name(s->last.proof));
	branch_str(row, "tls_fault", s->last.reason ? s->last.reason : "");
	branch_str(row, "problem", s->problem);
	branch_int(row, "problem_ms", s->problem_ms);
}

void admin_lane_tls_explain(struct query *q, struct query_part *p, struct lane *l)
{
	const struct domain *d = queue_find_domain(queue_of(l), domain_of(q));
	const struct site *site = d ? way_of(d)->site : NULL;

	if (!site)
		return;
	put_result(branch_map(p->rows, NULL), site);
	for (unsigned i = 0; i < SITE_ASKING; i++)
		if (site->asking[i])
			put_result(branch_map(p->rows, NULL), site->asking[i]);
}

/* ---- records, policy, decision ----------------------------------------------------------- */

struct tls_look {
	struct note note;
	struct lane *lane;
	struct explain *explain;
	struct query *query;
};

static enum tls_word word_for(struct query *q, const struct route *route)
{
	struct engine *e = q->server->engine;
	OWNED(shapes) set = shape_copy(e);
	struct slice mx[ROUTE_HOSTS_MAX];
	struct shape_subject who = {
		.domain = domain_of(q), .mx = mx, .n_mx = route->n_hosts, .pool = SLICE("default")
	};
	struct shape shape;

	for (unsigned i = 0; i < route->n_hosts; i++)
		mx[i] = slice_str(route->hosts[i].name);
	shaping_resolve(set, &who, engine_settings(e), &shape);
	return (enum tls_word)shape.v[SHAPE_TLS];
}

static void put_records(struct branch *list, const struct policy_host *h)
{
	struct buf text;

	buf_init(&text, 0);
	for (unsigned i = 0; i < h->n_records; i++) {
		const struct tls_record *r = &h->records[i];
		buf_clear(&text);
		buf_putf(&text, "%u %u %u ", r->usage, r->selector, r->matching);
		for (unsigned k = 0; k < r->data_n; k++)
			buf_putf(&text, "%02x", r->data[k]);
		branch_slice(list, NULL, buf_data(&text));
	}
	buf_free(&text);
}

static void put_demand(struct branch *row, const struct policy_demand *d)
{
	static const char *const tls[] = {
		[TLS_NEVER] = "never", [TLS_MAY] = "may", [TLS_MUST] = "must"
	};
	static const char *const certificates[] = {
		[TLS_ANY] = "any", [TLS_CHAIN] = "chain", [TLS_DANE] = "dane"
	};

	branch_str(row, "policy", policy_applied_name(d->applied));
	branch_str(row, "tls", d->refusal ? "refused" : tls[d->tls]);
	branch_str(row, "certificate", certificates[d->certificate]);
	branch_bool(row, "report_only", d->report_only);
	branch_str(row, "refusal", d->refusal ? d->refusal : "");
}

static void put_host(struct branch *row, const struct policy_facts *f, unsigned i,
		     enum tls_word word)
{
	static const char *const states[] = { [POLICY_DANE_NONE] = "none",
					      [POLICY_DANE_USABLE] = "usable",
					      [POLICY_DANE_UNUSABLE] = "unusable",
					      [POLICY_DANE_BROKEN] = "broken" };
	const struct route_host *host = &f->route->hosts[i];
	struct policy_demand d =
	    policy_facts_decide(f, i, word, POLICY_ASKED_NOTHING, f->named_securely);

	branch_str(row, "host", host->name);
	branch_int(row, "preference", host->preference);
	branch_bool(row, "signed", host->secure);
	branch_str(row, "dane", states[f->hosts[i].dane]);
	branch_str(row, "tlsa_at", f->hosts[i].base);
	put_records(branch_list(row, "tlsa"), &f->hosts[i]);
	branch_bool(row, "named_by_mta_sts", f->hosts[i].sts_names);
	put_demand(row, &d);
}

static void put_sts(struct branch *b, struct query *q)
{
	struct policy_shared *shared = engine_shared(q->server->engine, &policy_part);
	struct branch *list;
	struct sts_entry e;

	(void)sts_cache_find(shared->cache, domain_of(q), clock_wall_ms(), &e);
	branch_str(b, "mode", e.policy ? sts_mode_name(e.policy->mode) : "");
	branch_str(b, "id", e.id);
	branch_int(b, "fetched_ms", e.fetched_ms);
	branch_int(b, "expires_ms", e.expires_ms);
	branch_str(b, "fault", e.fault);
	branch_int(b, "tried_ms", e.tried_ms);
	list = branch_list(b, "mx");
	for (unsigned i = 0; e.policy && i < e.policy->n_mx; i++)
		branch_str(list, NULL, e.policy->mx[i]);
	(void)sts_policy_unref(e.policy);
}

/* Whether the domain wants reports about TLS, and what there is of them. */
static void put_reports(struct branch *b, struct query *q, const struct explain *x)
{
	const struct tlsrpt_options *o =
	    settings_of(engine_settings(q->server->engine), &tlsrpt_option_set);

	branch_bool(b, "made", o->on);
	branch_bool(b, "wanted", x->facts->reports);
	results_show(tlsrpt_results(q->server->engine), domain_of(q), b);
}

static void put_facts(struct query *q, const struct explain *x)
{
	enum tls_word word = word_for(q, x->route);
	struct branch *hosts;

	branch_str(q->out, "word", tls_words[word]);
	branch_bool(q->out, "signed", x->route->secure);
	put_sts(branch_map(q->out, "mta_sts"), q);
	put_reports(branch_map(q->out, "reports"), q, x);
	hosts = branch_list(q->out, "hosts");
	for (unsigned i = 0; i < x->facts->n_hosts; i++)
		put_host(branch_map(hosts, NULL), x->facts, i, word);
}

static void is_back(struct note *n, struct lane *front)
{
	struct tls_look *l = container_of(n, struct tls_look, note);
	struct query *q = l->query;

	(void)front;
	branch_slice(q->out, "domain", domain_of(q));
	query_join_rows(q, "results");
	if (l->explain->facts) {
		put_facts(q, l->explain);
		query_answer(q);
	} else {
		query_fail(q, E_UNKNOWN, "DNS gives no mail host of the domain");
	}
	(void)explain_free(l->explain);
	free(l);
}

static void done(struct explain *x)
{
	struct tls_look *l = x->arg;

	l->note.run = is_back;
	lane_post(engine_front(lane_engine(l->lane)), &l->note);
}

static void look(struct note *n, struct lane *lane)
{
	struct tls_look *l = container_of(n, struct tls_look, note);

	l->lane = lane;
	explain_start(l->explain, sites_of(lane));
}

int admin_finish_tls_explain(struct query *q)
{
	struct tls_look *l = must_alloc(sizeof(*l));

	l->query = q;
	l->explain = explain_new(domain_of(q), done, l);
	l->note.run = look;
	lane_post(engine_lane(q->server->engine, 0), &l->note);
	return 0;
}
