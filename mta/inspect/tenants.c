/* mta/inspect/tenants.c - limits that hold for one tenant or one source, and stop it now. */
#include <inttypes.h>

#include "base/clock.h"
#include "mta/inspect/tell.h"
#include "mta/shape/part.h"
#include "mta/site/lids.h"
#include "mta/site/own.h"

/* The line of a shape, or who gave the order. */
static void put_origin(const struct pool *p, const struct lid *l, uint64_t tenant, struct buf *out)
{
	if (l->from != SHAPE_RULES_MAX)
		shapes_origin(shape_set(p->sites->lane), l->from, out);
	else
		tenancy_origin(p->sites->queue->tenancy, tenant,
			       l->kind == LID_CONNECTIONS ? TENANT_CONNECTIONS : TENANT_RATE, out);
}

static void tell_lid(struct teller *t, const struct pool *p, uint64_t tenant, const struct lid *l)
{
	static const enum shape_key units[] = { [LID_CONNECTIONS] = SHAPE_CONNECTIONS,
						[LID_MESSAGES] = SHAPE_RATE,
						[LID_BYTES] = SHAPE_BYTES };
	int64_t us = lid_wait_us(l, clock_mono_us());
	struct buf value, origin;

	buf_init(&value, 0);
	buf_init(&origin, 0);
	shape_value_show(units[l->kind], l->value, NULL, &value);
	put_origin(p, l, tenant, &origin);
	if (l->kind == LID_CONNECTIONS)
		tell(t, "tenant-connections", 0,
		     "all %s connections that tenant %" PRIu64 " may have to %s carry its mail; %s",
		     buf_cstr(&value), tenant, l->where->name, buf_cstr(&origin));
	else
		tell(t, "tenant-rate", clock_wall_ms() + us / 1000 + 1,
		     "tenant %" PRIu64 " may send %s to %s, and sends its next message then; %s",
		     tenant, buf_cstr(&value), l->where->name, buf_cstr(&origin));
	buf_free(&value);
	buf_free(&origin);
}

/* Where a limit over one source alone stops it: the others may take the mail. */
static void tell_sources(struct teller *t, struct pool *p, uint64_t tenant)
{
	const struct source *s;
	unsigned told = 0;

	for (unsigned i = 0; told < WHY_PLACES && (s = lids_source(p, i)) != NULL; i++) {
		const struct lid *stop = lids_stopping(p, tenant, &s->ip);
		if (stop && stop->of_source)
			tell_lid(t, p, tenant, stop);
		told += stop != NULL;
	}
}

static void tell_share(struct teller *t, struct pool *p, uint64_t tenant)
{
	const struct lid *stop = lids_stopping(p, tenant, NULL);

	if (!stop || stop->of_source)
		tell_sources(t, p, tenant);
	else
		tell_lid(t, p, tenant, stop);
}

static void tell_shares(struct teller *t, struct pool *p, struct list *shares)
{
	const struct share *s;
	unsigned told = 0;

	list_each(shares, s, const struct share, ring) {
		if (told == WHY_PLACES || (t->one_tenant && s->tenant != t->tenant))
			continue;
		tell_share(t, p, s->tenant);
		told++;
	}
}

void binds_tenants(struct teller *t, const struct pool *of)
{
	struct pool *p = (struct pool *)(uintptr_t)of; /* it may look them up */

	tell_shares(t, p, &p->fair.gated);
	if (shapes_asks(shape_set(p->sites->lane)) & SHAPE_ASKS_BOTH)
		for (unsigned i = 0; i < FAIR_CLASSES; i++)
			tell_shares(t, p, &p->fair.rings[i]);
}

void binds_own(struct teller *t, const struct pool *p, const struct ip *source, const char *name)
{
	struct own_fact f;
	struct buf origin;

	if (!own_fact(p, source, &f))
		return;
	buf_init(&origin, 0);
	shapes_origin(shape_set(p->sites->lane), f.from, &origin);
	if (f.wait_us)
		tell(t, "source-rate", clock_wall_ms() + f.wait_us / 1000 + 1,
		     "the rate of source %s to %s allows its next message then; %s", name,
		     f.where->name, buf_cstr(&origin));
	else
		tell(t, "connections", 0,
		     "all %" PRId64 " connections of source %s to %s are in use; %s", f.connections,
		     name, f.where->name, buf_cstr(&origin));
	buf_free(&origin);
}
