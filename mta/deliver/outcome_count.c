/* mta/deliver/outcome_count.c - outcomes by provider, source, pool and tenant. */
#include "mta/deliver/outcome_count.h"

#include "mta/site/way.h"

static_assert((int)OUTCOME_DEFERRED < (int)TALLY_OUTCOMES, "a count for each outcome");
static_assert((int)JUDGE_CLASSES <= (int)TALLY_CLASSES, "a count for each class");

static void count(struct tally *t, const struct outcome *o)
{
	enum judge_class class;

	count_add(&t->outcomes[o->kind], 1);
	if (t->classes && o->class.n && judge_class_parse(o->class, &class) == 0)
		count_add(&t->classes[class], 1);
}

static struct tally *of_provider(struct deliverer *dr, const struct site *site)
{
	struct slice name =
	    site && site->provider ? slice_str(site->provider->name) : SLICE(TALLY_OTHER);

	(void)slice_strip(&name, SLICE("provider "));
	return tally_get(dr->tallies, TALLY_PROVIDER, name);
}

/* A channel carries many messages: its tallies are looked up once. */
static void count_channel(struct deliverer *dr, struct channel *ch, const struct outcome *o)
{
	struct tally **at = ch->tallies;

	if (!at[TALLY_PROVIDER]) {
		at[TALLY_PROVIDER] = of_provider(dr, ch->pool->site);
		at[TALLY_SOURCE] = tally_get(dr->tallies, TALLY_SOURCE, slice_str(ch->source_text));
		at[TALLY_POOL] = tally_get(
		    dr->tallies, TALLY_POOL,
		    slice_str(egress_pool_name(ch->pool->sites->egress, ch->pool->index)));
	}
	count(at[TALLY_PROVIDER], o);
	count(at[TALLY_SOURCE], o);
	count(at[TALLY_POOL], o);
}

static void time_it(struct tally_times *t, const struct outcome *o, const struct chunk *k)
{
	int64_t age = o->at_ms - k->info.accepted_ms;
	unsigned step = histogram_step(&tally_scale_mail, age);

	histogram_put(&t->age, step, age);
	if (o->kind == OUTCOME_DELIVERED)
		histogram_put(&t->delivery, step, age);
}

void outcome_count(struct deliverer *dr, rcpt_ref ref, const struct outcome *o,
		   const struct chunk *k, const struct outcome_facts *f)
{
	const struct rcpt *r = queue_rcpt(dr->queue, ref);
	const struct flow *flow = queue_flow_of(dr->queue, r);

	count(tally_tenant(dr->tallies, flow->tenant), o);
	if (f && f->channel) {
		count_channel(dr, f->channel, o);
	} else {
		count(of_provider(dr, way_of(queue_domain_of(dr->queue, r))->site), o);
		count(tally_get(dr->tallies, TALLY_POOL,
				slice_str(egress_pool_name(dr->queue->egress, flow->to_pool))),
		      o);
	}
	if (k)
		time_it(&dr->tallies->times, o, k);
}
