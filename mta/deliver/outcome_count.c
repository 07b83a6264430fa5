/* mta/deliver/outcome_count.c - outcomes by provider, source, pool and tenant. */
#include "mta/deliver/outcome_count.h"

#include "mta/site/way.h"

static_assert((int)OUTCOME_DEFERRED < (int)CENSUS_OUTCOMES, "a count for each outcome");
static_assert((int)JUDGE_CLASSES <= (int)CENSUS_CLASSES, "a count for each class");

static void count(struct census *t, const struct outcome *o)
{
	enum judge_class class;

	count_add(&t->outcomes[o->kind], 1);
	if (t->classes && o->class.n && judge_class_parse(o->class, &class) == 0)
		count_add(&t->classes[class], 1);
}

static struct census *of_provider(struct deliverer *dr, const struct site *site)
{
	struct slice name =
	    site && site->provider ? slice_str(site->provider->name) : SLICE(CENSUS_OTHER);

	(void)slice_strip(&name, SLICE("provider "));
	return census_get(dr->census, CENSUS_PROVIDER, name);
}

/* A channel carries many messages: its census are looked up once. */
static void count_channel(struct deliverer *dr, struct channel *ch, const struct outcome *o)
{
	struct census **at = ch->census;

	if (!at[CENSUS_PROVIDER]) {
		at[CENSUS_PROVIDER] = of_provider(dr, ch->pool->site);
		at[CENSUS_SOURCE] =
		    census_get(dr->census, CENSUS_SOURCE, slice_str(ch->source_text));
		at[CENSUS_POOL] = census_get(
		    dr->census, CENSUS_POOL,
		    slice_str(egress_pool_name(ch->pool->sites->egress, ch->pool->index)));
	}
	count(at[CENSUS_PROVIDER], o);
	count(at[CENSUS_SOURCE], o);
	count(at[CENSUS_POOL], o);
}

static void time_it(struct census_times *t, const struct outcome *o, const struct chunk *k)
{
	int64_t age = o->at_ms - k->info.accepted_ms;
	unsigned step = histogram_step(&census_scale_mail, age);

	histogram_put(&t->age, step, age);
	if (o->kind == OUTCOME_DELIVERED)
		histogram_put(&t->delivery, step, age);
}

void outcome_count(struct deliverer *dr, rcpt_ref ref, const struct outcome *o,
		   const struct chunk *k, const struct outcome_facts *f)
{
	const struct rcpt *r = queue_rcpt(dr->queue, ref);
	const struct flow *flow = queue_flow_of(dr->queue, r);

	count(census_tenant(dr->census, flow->tenant), o);
	if (f && f->channel) {
		count_channel(dr, f->channel, o);
	} else {
		count(of_provider(dr, way_of(queue_domain_of(dr->queue, r))->site), o);
		count(census_get(dr->census, CENSUS_POOL,
				 slice_str(egress_pool_name(dr->queue->egress, flow->to_pool))),
		      o);
	}
	if (k)
		time_it(&dr->census->times, o, k);
}
