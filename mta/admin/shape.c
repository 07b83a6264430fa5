/* mta/admin/shape.c - shapes: what is in force and why, live orders, files tried. */
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/admin/commands.h"
#include "mta/shape/part.h"
#include "mta/site/shaping.h"
#include "mta/site/way.h"
#include "mta/tenants/tenancy.h"

static struct spool *spool_of(struct query *q)
{
	return engine_spool(q->server->engine);
}

/* ---- orders ------------------------------------------------------------------------------ */

/* `value` becomes the rule's value, `what` its key. */
static void sign_order(struct query *q)
{
	time_t now = (time_t)(clock_wall_ms() / 1000);
	char when[32], value[sizeof(q->value)];
	struct tm tm;

	memcpy(value, q->value, sizeof(value));
	(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	(void)snprintf(q->value, sizeof(q->value), "%.400s\n%.100s at %s", value,
		       *q->author ? q->author : "somebody", when);
}

static bool has_pool(const struct egress_options *o, struct slice name)
{
	bool found = slice_eq(name, SLICE("default"));

	for (unsigned i = 0; i < o->n_sources && !found; i++)
		found = slice_eq(name, slice_str(o->sources[i].pool));
	return found;
}

static bool ends_in_pool(struct slice s)
{
	struct slice before, last;

	return slice_eq(slice_cut_last(s, ' ', &before, &last) ? last : s, SLICE("pool"));
}

/* An order about nobody would be in force and change nothing.  `what` is the rule's key. */
static int check_known(struct query *q)
{
	struct engine *e = q->server->engine;
	OWNED(shapes) files = shape_copy_of_files(e);
	struct slice section, key, name, rest = slice_str(q->what);

	(void)slice_strip(&rest, SLICE("shape/"));
	if (!slice_cut_last(rest, '/', &section, &key))
		return E_SYNTAX;
	if (slice_strip(&section, SLICE("provider "))) {
		name = slice_take(&section, ' ');
		if (!shapes_has_provider(files, name)) {
			(void)snprintf(q->fault, sizeof(q->fault),
				       "no provider \"%.*s\": no file says which hosts it has",
				       (int)MIN_OF(name.n, (size_t)60), name.p);
			return E_SYNTAX;
		}
	}
	if (slice_cut_last(section, ' ', &rest, &name) && ends_in_pool(rest) &&
	    !has_pool(settings_of(engine_settings(e), &egress_option_set), name)) {
		(void)snprintf(q->fault, sizeof(q->fault), "no pool \"%.*s\"",
			       (int)MIN_OF(name.n, (size_t)60), name.p);
		return E_SYNTAX;
	}
	return 0;
}

int admin_begin_shape_order(struct query *q)
{
	struct buf key;
	int r;

	if (strchr(q->value, '\n') || strchr(q->author, '\n') || strlen(q->value) > 400)
		return E_SYNTAX;
	buf_init(&key, 0);
	r = shape_order_key(slice_str(q->what), slice_str(q->key), slice_str(q->value), &key,
			    q->fault);
	if (r == 0)
		slice_copy(q->what, sizeof(q->what), buf_data(&key));
	buf_free(&key);
	if (r < 0 || !*q->value)
		return r;
	r = check_known(q);
	if (r == 0)
		sign_order(q);
	return r;
}

static void order_is_durable(struct durable_wait *w, int err)
{
	struct query *q = container_of(w, struct query, wait);

	if (err < 0) {
		query_fail(q, err, NULL);
		return;
	}
	shape_order_changed(q->server->engine, slice_str(q->what), slice_str(q->value));
	log_info("shape.order", kv_str("rule", q->what), kv_str("value", q->value));
	branch_str(q->out, "order", q->what);
	query_answer(q);
}

static int see_order(void *arg, struct slice key, struct slice value)
{
	struct query *q = arg;

	(void)value;
	q->count += slice_eq(key, slice_str(q->what));
	return 0;
}

int admin_finish_shape_order(struct query *q)
{
	lsn_t lsn;
	int r;

	q->count = 0;
	if (!*q->value) {
		(void)!spool_each_rule(spool_of(q), slice_str(q->what), see_order, q);
		if (!q->count) {
			(void)snprintf(q->fault, sizeof(q->fault),
				       "no such order stands; see postern shape diff");
			return E_UNKNOWN;
		}
	}
	r = spool_put_rule(spool_of(q), slice_str(q->what), slice_str(q->value), &lsn);
	if (r < 0)
		return r;
	durable_wait_init(&q->wait, order_is_durable);
	lane_wait_durable(q->server->front, &q->wait, lsn);
	return 0;
}

struct orders_report {
	struct branch *rows;
	struct shapes *files;
};

static void put_order(void *arg, struct slice section, struct slice key, struct slice value,
		      struct slice author)
{
	struct orders_report *o = arg;
	struct branch *row = branch_map(o->rows, NULL);
	struct buf instead;

	buf_init(&instead, 0);
	branch_slice(row, "section", section);
	branch_slice(row, "key", key);
	branch_slice(row, "value", value);
	if (shapes_find(o->files, section, key, &instead))
		branch_slice(row, "files", buf_data(&instead));
	branch_slice(row, "author", author);
	buf_free(&instead);
}

int admin_finish_shape_orders(struct query *q)
{
	OWNED(shapes) files = shape_copy_of_files(q->server->engine);
	struct orders_report o = { branch_list(q->out, "orders"), files };

	shape_each_order(q->server->engine, put_order, &o);
	query_answer(q);
	return 0;
}

/* ---- what is in force -------------------------------------------------------------------- */

static void put_value(void *arg, struct slice section, const char *key, struct slice value,
		      struct slice origin)
{
	struct branch *row = branch_map(arg, NULL);

	branch_slice(row, "section", section);
	branch_str(row, "key", key);
	branch_slice(row, "value", value);
	branch_slice(row, "from", origin);
}

int admin_finish_shape_show(struct query *q)
{
	OWNED(shapes) set = shape_copy(q->server->engine);

	shapes_each(set, put_value, branch_list(q->out, "values"));
	query_answer(q);
	return 0;
}

int admin_begin_shape_explain(struct query *q)
{
	struct ip ip;
	int r = query_selector(q);

	if (r == 0 && !selector_is(&q->selector, SELECT_DOMAIN)) {
		(void)snprintf(q->fault, sizeof(q->fault), "expected a domain");
		return E_SYNTAX;
	}
	if (r == 0 && *q->source && ip_parse(slice_str(q->source), &ip) < 0) {
		(void)snprintf(q->fault, sizeof(q->fault), "--source takes an IP address");
		return E_SYNTAX;
	}
	return r;
}

/* The lane that has the domain knows its mail hosts. */
void admin_lane_shape_explain(struct query *q, struct query_part *p, struct lane *l)
{
	const struct domain *d = queue_find_domain(queue_of(l), q->selector.terms[0].text);
	const struct site *site = d ? way_of(d)->site : NULL;

	for (unsigned i = 0; site && i < site->route->n_hosts; i++)
		branch_str(p->rows, NULL, site->route->hosts[i].name);
	if (site)
		branch_str(p->rows, NULL, site->shared->name);
	p->count = site ? site->route->n_hosts : 0;
}

/* The hosts that a lane wrote into its part, and behind them the site. */
static unsigned take_hosts(struct query *q, struct slice *mx, struct slice *ret_site)
{
	struct branch *list = branch_list(q->out, "mx");
	unsigned n = 0;

	for (unsigned i = 0; i < engine_lanes(q->server->engine); i++) {
		const struct value *rows = &tree_value(q->parts[i].tree)->members[0].value;
		for (uint32_t k = 0; k + 1 < rows->count && n < ROUTE_HOSTS_MAX; k++) {
			mx[n++] = rows->items[k].s;
			branch_slice(list, NULL, rows->items[k].s);
		}
		if (rows->count)
			*ret_site = rows->items[rows->count - 1].s;
	}
	return n;
}

static void put_row(struct branch *rows, const struct shapes *set, const struct shape *shape,
		    unsigned key, const char *of)
{
	struct branch *row = branch_map(rows, NULL);
	bool own = shape->from[key] != SHAPE_RULES_MAX;
	struct buf value, origin;

	buf_init(&value, 0);
	buf_init(&origin, 0);
	if (own || (key != SHAPE_LIFE && key != SHAPE_RETRY))
		shape_value_show((enum shape_key)key, shape->v[key], &shape->retry, &value);
	shapes_origin(set, shape->from[key], &origin);
	branch_str(row, "key", shape_key_rows[key].name);
	branch_str(row, "of", of);
	branch_slice(row, "value", buf_data(&value));
	branch_slice(row, "from", buf_data(&origin));
	buf_free(&value);
	buf_free(&origin);
}

/* With the limits that the tenant, the source, and one over the other have of their own. */
static void put_shape(struct branch *rows, const struct shapes *set,
		      const struct shape_subject *who, const struct shape *shape)
{
	static const char *const owners[SHAPE_OWNERS] = { [SHAPE_OWN_TENANT] = "tenant",
							  [SHAPE_OWN_SOURCE] = "source",
							  [SHAPE_OWN_BOTH] = "tenant and source" };
	struct shape own[SHAPE_OWNERS];

	for (enum shape_owner of = 0; of < SHAPE_OWNERS; of++)
		shapes_limits(set, who, of, &own[of]);
	for (unsigned i = 0; i < SHAPE_KEYS; i++) {
		put_row(rows, set, shape, i, "");
		for (enum shape_owner of = 0; of < SHAPE_OWNERS; of++)
			if (own[of].from[i] != SHAPE_RULES_MAX)
				put_row(rows, set, &own[of], i, owners[of]);
	}
}

/* What holds for the tenant whatever the provider. */
static void put_tenant(struct branch *rows, struct tenancy *tenancy, uint64_t tenant)
{
	struct tenant_limits_now now = tenancy_limits(tenancy, tenant);
	struct buf value, origin;

	buf_init(&value, 0);
	buf_init(&origin, 0);
	for (unsigned i = 0; i < TENANT_KEYS; i++) {
		struct branch *row;
		buf_clear(&value);
		buf_clear(&origin);
		tenancy_origin(tenancy, tenant, (enum tenant_key)i, &origin);
		if (!buf_len(&origin))
			continue;
		row = branch_map(rows, NULL);
		tenant_value_show((enum tenant_key)i, now.v[i], &value);
		branch_str(row, "key", tenant_key_name((enum tenant_key)i));
		branch_str(row, "of", "tenant, all providers");
		branch_slice(row, "value", buf_data(&value));
		branch_slice(row, "from", buf_data(&origin));
	}
	buf_free(&value);
	buf_free(&origin);
}

int admin_finish_shape_explain(struct query *q)
{
	struct engine *e = q->server->engine;
	OWNED(shapes) set = shape_copy(e);
	struct slice mx[ROUTE_HOSTS_MAX];
	struct shape_subject who = { .domain = q->selector.terms[0].text, .tenant = q->tenant };
	struct slice site = SLICE("");
	const char *provider;
	struct branch *rows;
	struct shape shape;

	who.mx = mx;
	who.n_mx = take_hosts(q, mx, &site);
	who.pool = slice_str(*q->pool ? q->pool : "default");
	if (*q->source && ip_parse(slice_str(q->source), &who.source) < 0)
		return E_SYNTAX;
	shaping_resolve(set, &who, engine_settings(e), &shape);
	branch_slice(q->out, "domain", q->selector.terms[0].text);
	provider = shapes_provider_name(set, shapes_provider(set, &who));
	branch_str(q->out, "provider", provider);
	rows = branch_list(q->out, "values");
	put_shape(rows, set, &who, &shape);
	if (q->tenant)
		put_tenant(rows, tenancy_of(e), q->tenant);
	admin_put_adaptive(q, site, provider);
	query_answer(q);
	return 0;
}

int admin_finish_shape_test(struct query *q)
{
	int r = shape_file_check(q->server->engine, q->text, *q->what ? q->what : "file", q->fault);

	if (r < 0)
		return r;
	branch_bool(q->out, "good", true);
	query_answer(q);
	return 0;
}
