/* mta/queue/options.c - rows of the options of the queue, and the tenants' weights. */
#include "mta/queue/options.h"

#include "mta/config/entries.h"

#define AT(member) offsetof(struct queue_options, member)
enum { MIB = 1024 * 1024, GIB = 1024 * 1024 * 1024, WEIGHT_MAX = 100 };

static const struct option rows[] = {
	{ "transactional.share", T_INT, AT(transactional_share), 1, 99, "90", true,
	  "Percentage of a site's turns that transactional mail may take while bulk mail "
	  "waits." },
	{ "tenant.weight", T_LIST, AT(weight_list), 0, 0, "", true,
	  "Shares of tenants at a site, each \"tenant weight\"; tenants not named have "
	  "weight 1." },
	{ "cache.jobs", T_SIZE, AT(cache_jobs), MIB, GIB, "64M", true,
	  "Memory for decoded recipients, per lane." },
	{ "cache.contents", T_SIZE, AT(cache_contents), MIB, GIB, "64M", true,
	  "Memory for messages, per lane." },
};

/* Kept in the order of tenants; naming one twice is a mistake. */
static int read_weight(void *options, struct slice s)
{
	struct queue_options *o = options;
	struct slice tenant = entries_word(&s), weight = entries_word(&s);
	uint64_t t, w;
	unsigned i;

	if (o->n_weights == WEIGHTS_MAX || slice_u64(tenant, UINT64_MAX, &t) < 0 ||
	    slice_u64(weight, WEIGHT_MAX, &w) < 0 || w == 0 || entries_word(&s).n)
		return E_SYNTAX;
	for (i = o->n_weights; i && o->weights[i - 1].tenant >= t; i--)
		if (o->weights[i - 1].tenant == t)
			return E_SYNTAX;
	memmove(o->weights + i + 1, o->weights + i, (o->n_weights - i) * sizeof(o->weights[0]));
	o->weights[i] = (struct tenant_weight){ t, (uint16_t)w };
	o->n_weights++;
	return 0;
}

static int derive(void *options, const struct settings *all, struct option_fault *f)
{
	struct queue_options *o = options;

	(void)all;
	return option_entries(f, "tenant.weight", o->weight_list,
			      "\"tenant weight\": a tenant's number, listed once, and 1 to 100",
			      read_weight, o);
}

const struct option_set queue_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct queue_options),
	.derive = derive,
};

uint16_t queue_tenant_weight(const struct queue_options *o, uint64_t tenant)
{
	unsigned low = 0, high = o->n_weights;

	while (low < high) {
		unsigned middle = (low + high) / 2;
		if (o->weights[middle].tenant < tenant)
			low = middle + 1;
		else
			high = middle;
	}
	return low < o->n_weights && o->weights[low].tenant == tenant ? o->weights[low].weight : 1;
}
