/* tests/replay/fortnight_search.c - adaptive control against the best settings that stay as they
 * are, found by search.
 *
 *	fortnight_search MESSAGES DAYS [PROVIDER]        MESSAGES to all eight providers together
 *	fortnight_search MESSAGES DAYS PROVIDER|all adaptive          adaptive control alone
 *	fortnight_search MESSAGES DAYS PROVIDER|all coarse            the rates and connections
 *	                                  that have won a search, and those beside them
 *	fortnight_search MESSAGES DAYS PROVIDER CONNECTIONS RATE      these settings alone
 *	fortnight_search MESSAGES DAYS PROVIDER|all sites N           adaptive control alone, the
 *	                                  mail shared by N sites (1 to 200) of the provider
 *	fortnight_search MESSAGES DAYS PROVIDER|all apart N           the same, where each site
 *	                                  finds out for itself (provider.adaptive = no)
 *
 * The best are those that deliver the most, then the soonest; of those within 1 % of the soonest,
 * those with the fewest deferred attempts. Settings that defer each message more than five times
 * are not among them.  A run ends when it can be none of these any more. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "tests/replay/fortnight.h"

struct candidate {
	struct fortnight_settings s;
	struct fortnight_result r;
};
static unsigned messages, days;

static void print(const char *name, const struct candidate *c)
{
	if (c->s.adaptive)
		printf("%-8s adaptive           ", name);
	else
		printf("%-8s %3u at %10lld/d", name, c->s.connections, (long long)c->s.rate);
	printf(" %7.1f h %7.1f h wait %7llu undone %8llu deferred %7llu turned away %3u blocks "
	       "%5.1f h longest\n",
	       c->r.hours, c->r.wait, (unsigned long long)c->r.undone,
	       (unsigned long long)c->r.deferred, (unsigned long long)c->r.facts.turned_away,
	       c->r.facts.blocks, (double)c->r.facts.longest_block_ms / 3600000);
	(void)fflush(stdout);
}

static bool is_better(const struct candidate *a, const struct candidate *b, double soonest)
{
	bool a_soon = !a->r.undone && a->r.hours <= soonest * 1.01;
	bool b_soon = !b->r.undone && b->r.hours <= soonest * 1.01;

	if (a_soon && b_soon)
		return a->r.deferred < b->r.deferred;
	if (a->r.undone != b->r.undone)
		return a->r.undone < b->r.undone;
	return a->r.hours < b->r.hours;
}

static const unsigned connections[] = { 20, 1, 2, 4, 6, 8, 10, 14 };
static const double rates[] = { 0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 1.7, 2.5 };
enum { N_CONNECTIONS = ARRAY_LEN(connections), N_RATES = ARRAY_LEN(rates) };

struct search {
	enum provider_kind kind;
	struct candidate all[N_CONNECTIONS][N_RATES];
	bool tried[N_CONNECTIONS][N_RATES];
	double soonest;
};

static void try_out(struct search *s, unsigned i, unsigned k)
{
	double average = messages / (double)PROVIDERS / (days * 0.8);
	struct candidate *c = &s->all[i][k];

	if (s->tried[i][k])
		return;
	s->tried[i][k] = true;
	c->s = (struct fortnight_settings){ false, connections[i], (int64_t)(average * rates[k]) };
	c->s.give_up_hours = s->soonest * 1.01;
	fortnight_run(s->kind, messages / PROVIDERS, days, &c->s, &c->r);
	if (!c->r.undone)
		s->soonest = MIN_OF(s->soonest, c->r.hours);
	if (getenv("FORTNIGHT_ALL"))
		print(provider_sim_name(s->kind), c);
}

static struct candidate *best_so_far(struct search *s, unsigned *ret_i, unsigned *ret_k)
{
	struct candidate *best = NULL;

	for (unsigned i = 0; i < N_CONNECTIONS; i++)
		for (unsigned k = 0; k < N_RATES; k++)
			if (s->tried[i][k] &&
			    (!best || is_better(&s->all[i][k], best, s->soonest))) {
				best = &s->all[i][k];
				*ret_i = i;
				*ret_k = k;
			}
	return best;
}

/* Along the rates, along the connections, and again, until nothing better is near. */
static struct candidate best_fixed(enum provider_kind kind)
{
	static struct search s;
	unsigned i = 0, k = 0, last_i, last_k;

	s = (struct search){ .kind = kind, .soonest = 1e9 };
	do {
		last_i = i;
		last_k = k;
		for (unsigned x = 0; x < N_RATES; x++)
			try_out(&s, i, x);
		(void)best_so_far(&s, &i, &k);
		for (unsigned x = 0; x < N_CONNECTIONS; x++)
			try_out(&s, x, k);
		(void)best_so_far(&s, &i, &k);
	} while (i != last_i || k != last_k);
	return *best_so_far(&s, &i, &k);
}

/* With all connections the rates that are likely, the likeliest first; then fewer connections. */
static struct candidate best_coarse(enum provider_kind kind)
{
	static const double likely[] = { 1.0, 1.4, 0.9, 0, 1.2, 1.7 };
	static const unsigned fewer[] = { 10, 6 };
	static struct search s;
	unsigned i = 0, k = 0;

	s = (struct search){ .kind = kind, .soonest = 1e9 };
	for (unsigned x = 0; x < ARRAY_LEN(likely); x++)
		for (unsigned y = 0; y < N_RATES; y++)
			if (rates[y] == likely[x])
				try_out(&s, 0, y);
	(void)best_so_far(&s, &i, &k);
	for (unsigned x = 0; x < ARRAY_LEN(fewer); x++)
		for (unsigned y = 0; y < N_CONNECTIONS; y++)
			if (connections[y] == fewer[x])
				try_out(&s, y, k);
	return *best_so_far(&s, &i, &k);
}

static void compare(enum provider_kind kind, const char *how)
{
	struct candidate c = { .s = { .adaptive = true } };

	fortnight_run(kind, messages / PROVIDERS, days, &c.s, &c.r);
	print(provider_sim_name(kind), &c);
	if (strcmp(how, "adaptive") == 0)
		return;
	c = strcmp(how, "coarse") == 0 ? best_coarse(kind) : best_fixed(kind);
	print(provider_sim_name(kind), &c);
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		(void)fprintf(
		    stderr,
		    "usage: fortnight_search MESSAGES DAYS [PROVIDER|all [adaptive|coarse]]\n"
		    "       fortnight_search MESSAGES DAYS PROVIDER CONNECTIONS RATE\n");
		return 2;
	}
	messages = (unsigned)strtoul(argv[1], NULL, 10);
	days = (unsigned)strtoul(argv[2], NULL, 10);
	for (unsigned kind = 0; kind < PROVIDERS; kind++) {
		if (argc > 3 && strcmp(argv[3], "all") && strcmp(argv[3], provider_sim_name(kind)))
			continue;
		if (argc > 5 && (!strcmp(argv[4], "sites") || !strcmp(argv[4], "apart"))) {
			struct candidate c = { .s = { .adaptive = true,
						      .sites = (unsigned)atoi(argv[5]),
						      .apart = !strcmp(argv[4], "apart") } };
			fortnight_run(kind, messages / PROVIDERS, days, &c.s, &c.r);
			print(provider_sim_name(kind), &c);
		} else if (argc > 5) {
			struct candidate c = { .s = { false, (unsigned)atoi(argv[4]),
						      atoll(argv[5]) } };
			fortnight_run(kind, messages / PROVIDERS, days, &c.s, &c.r);
			print(provider_sim_name(kind), &c);
		} else {
			compare(kind, argc == 5 ? argv[4] : "");
		}
	}
	return 0;
}
