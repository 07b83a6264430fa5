/* mta/admin/senders.c - which senders and suppressions the engine knows of. */
#include "mta/admin/commands.h"
#include "mta/senders/senders.h"

struct senders_rows {
	struct branch *rows;
	uint64_t left, more; /* rows that may still be shown; rows that were not */
};

static struct branch *next_row(struct senders_rows *l)
{
	if (!l->left) {
		l->more++;
		return NULL;
	}
	l->left--;
	return branch_map(l->rows, NULL);
}

static int put_domain(void *arg, const struct wire_fact *f, bool local)
{
	struct branch *row = next_row(arg);

	if (!row)
		return 0;
	branch_slice(row, "domain", f->domain);
	branch_int(row, "tenant", (int64_t)f->tenant);
	branch_slice(row, "pool", f->pool);
	branch_str(row, "from", local ? "configuration" : "control plane");
	return 0;
}

static void put_counts(struct branch *row, const struct known_counts *c)
{
	branch_int(row, "domains", (int64_t)c->senders);
	branch_int(row, "suppressed", (int64_t)c->stops_all);
	branch_int(row, "suppressed_bulk", (int64_t)c->stops_bulk);
}

static int put_tenant(void *arg, const struct known_counts *c)
{
	struct branch *row = next_row(arg);

	if (row) {
		branch_int(row, "tenant", (int64_t)c->tenant);
		put_counts(row, c);
	}
	return 0;
}

static void put_facts(struct branch *out, const struct senders_facts *f)
{
	branch_bool(out, "checked", f->checked);
	branch_bool(out, "fed", f->fed);
	branch_int(out, "sets", (int64_t)f->sets);
	branch_int(out, "changes", (int64_t)f->changes);
	branch_int(out, "changed_ms", f->changed_ms);
	put_counts(branch_map(out, "control_plane"), &f->control);
	put_counts(branch_map(out, "configuration"), &f->local);
}

int admin_finish_senders(struct query *q)
{
	struct senders *s = senders_of(q->server->engine);
	struct senders_facts facts = senders_facts(s);
	struct senders_rows domains = { .left = q->max }, tenants = { .left = q->max };
	int r;

	put_facts(branch_map(q->out, "known"), &facts);
	tenants.rows = branch_list(q->out, "tenants");
	r = senders_each_tenant(s, put_tenant, &tenants);
	domains.rows = branch_list(q->out, "senders");
	if (r >= 0)
		r = senders_each_domain(s, put_domain, &domains);
	if (r < 0)
		return r;
	branch_int(q->out, "more_tenants", (int64_t)tenants.more);
	branch_int(q->out, "more_senders", (int64_t)domains.more);
	query_answer(q);
	return 0;
}
