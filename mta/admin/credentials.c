/* mta/admin/credentials.c - who may submit with a name and a password: those of the file and those
 * that the control plane gave.  No hash is shown. */
#include "base/clock.h"
#include "mta/admin/commands.h"
#include "mta/credentials/credentials.h"

struct credentials_rows {
	struct branch *rows;
	uint64_t left, more; /* rows that may still be shown; rows that were not */
	bool one;
	uint64_t tenant, id; /* whose alone, and which */
	int64_t now_ms;
};

static void put_nets(struct branch *row, const struct credential *c)
{
	struct buf text = { 0 };
	char ip[IP_TEXT_MAX];

	for (unsigned i = 0; i < c->n_nets; i++)
		buf_putf(&text, "%s%s/%u", i ? "," : "", ip_format(&c->nets[i].ip, ip),
			 c->nets[i].bits);
	branch_slice(row, "networks", buf_data(&text));
	buf_free(&text);
}

static void put_row(void *arg, const struct credential *c)
{
	struct credentials_rows *l = arg;
	struct quota_limits used;
	struct branch *row;

	if (l->one && !(c->fed && c->tenant == l->tenant && c->id == l->id))
		return;
	if (!l->left) {
		l->more++;
		return;
	}
	l->left--;
	used = quota_used(c->quota, l->now_ms);
	row = branch_map(l->rows, NULL);
	branch_slice(row, "name", c->name);
	branch_int(row, "tenant", (int64_t)c->tenant);
	branch_str(row, "from", c->fed ? "control plane" : "configuration");
	branch_int(row, "id", (int64_t)c->id);
	branch_slice(row, "domains", c->domains);
	branch_slice(row, "pools", c->pools);
	branch_slice(row, "stream", c->stream);
	put_nets(row, c);
	branch_int(row, "expires_ms", c->expires_ms);
	branch_bool(row, "expired", c->expires_ms && c->expires_ms <= l->now_ms);
	branch_int(row, "hour", (int64_t)used.hour);
	branch_int(row, "hour_limit", (int64_t)c->limits.hour);
	branch_int(row, "day", (int64_t)used.day);
	branch_int(row, "day_limit", (int64_t)c->limits.day);
}

/* key "TENANT/ID": that one of the control plane's alone. */
int admin_finish_credentials(struct query *q)
{
	struct credentials_rows l = { .left = q->max, .now_ms = clock_wall_ms() };
	struct slice tenant, id;

	l.one = *q->key != '\0';
	if (l.one &&
	    (!slice_cut(slice_str(q->key), '/', &tenant, &id) ||
	     slice_u64(tenant, UINT64_MAX, &l.tenant) < 0 || slice_u64(id, UINT64_MAX, &l.id) < 0))
		return E_SYNTAX;
	l.rows = branch_list(q->out, "credentials");
	credentials_each(credentials_of(q->server->engine), put_row, &l);
	branch_int(q->out, "more", (int64_t)l.more);
	query_answer(q);
	return 0;
}
