/* tests/replay/fortnight.c - mail to a modelled provider, day by day. */
#include "tests/replay/fortnight.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "tests/replay/engine_world.h"

enum { ROWS = 500, STEP = 10 * MINUTE };

static const char base[] =
    "hostname = out.test\nlanes = 1\nroute.allow = 127.0.0.0/8\n"
    "retry.schedule = 5m, 10m, 20m, 40m, 1h\nretry.jitter = 20\nhost.bad = 5m\n"
    "site.backoff_min = 30s\nsite.backoff_max = 10m\n"
    "egress.sources = default 127.0.0.2 a.test\n";

/* The sites are one provider's. */
static void write_provider(char *path, const struct fortnight_settings *s)
{
	int fd = mkstemp(path);

	assert_in_range(fd, 0, 1 << 20);
	assert_int_equal(
	    file_write_all(fd, SLICE("[provider many]\ndomain = s*.test\nrecipients = 1\n")), 0);
	if (s->apart)
		assert_int_equal(file_write_all(fd, SLICE("provider.adaptive = no\n")), 0);
	(void)close(fd);
}

static void shape(struct world *w, const char *key, const char *value)
{
	char rule[64], signed_value[64];

	(void)snprintf(rule, sizeof(rule), "shape/default/%s", key);
	(void)snprintf(signed_value, sizeof(signed_value), "%s\nthe test", value);
	world_rule(w, rule, signed_value);
}

static void set_up(struct world *w, const struct fortnight_settings *s)
{
	char number[32];

	(void)snprintf(number, sizeof(number), "%u", s->adaptive ? 20 : s->connections);
	shape(w, "recipients", "1");
	shape(w, "connections.kept", "0");
	shape(w, "connections", number);
	if (s->adaptive)
		return;
	shape(w, "adaptive", "no");
	shape(w, "connections.start", number);
	(void)snprintf(number, sizeof(number), "%lld/d", (long long)s->rate);
	if (s->rate)
		shape(w, "rate", number);
}

/* Each has a domain and a host of its own; what the provider allows is for all of them. */
static void set_up_sites(unsigned n)
{
	char domain[32], mx[32], ip[32];

	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(domain, sizeof(domain), "s%u.test", i);
		(void)snprintf(mx, sizeof(mx), "10 m%u.test", i);
		(void)snprintf(ip, sizeof(ip), "127.0.4.%u", i + 1);
		world_domain(domain, mx);
		resolver_sim_set(mx + 3, DNS_A, 5, ip);
		world_host(ip, "model it");
	}
}

static void put_rcpt(char *text, size_t cap, unsigned i, unsigned sites)
{
	if (sites > 1)
		(void)snprintf(text, cap, "u%u@s%u.test", i, i % sites);
	else
		(void)snprintf(text, cap, "u%u@one.test", i);
}

static void submit(struct world *w, unsigned n, unsigned *next, unsigned sites)
{
	static char text[ROWS][32];
	static const char *rcpts[ROWS];

	while (n) {
		unsigned rows = MIN_OF(n, (unsigned)ROWS);
		for (unsigned i = 0; i < rows; i++) {
			put_rcpt(text[i], sizeof(text[i]), (*next)++, sites);
			rcpts[i] = text[i];
		}
		world_submit(w, rcpts, rows, 60 * DAY, "control", 1);
		n -= rows;
	}
}

void fortnight_run(enum provider_kind kind, unsigned messages, unsigned days,
		   const struct fortnight_settings *settings, struct fortnight_result *ret)
{
	char path[] = "/tmp/postern-fortnight.XXXXXX", config[1024];
	struct provider_sim *provider;
	unsigned next = 0, batches = MAX_OF(days / 2, 1u);
	int64_t ms = 0, end = days * DAY;
	struct world w;
	double waited = 0;

	write_provider(path, settings);
	(void)snprintf(config, sizeof(config), "%sshape.file = %s\n", base, path);
	world_start(&w, config);
	provider = provider_sim_new(kind, messages, days);
	conn_sim_drop_messages();
	model_sim_add("it", provider_sim_model(provider));
	world_names();
	world_host("127.0.1.1", "model it");
	set_up_sites(settings->sites);
	set_up(&w, settings);
	while (ms < end && (next < messages || world_books(&w).queued)) {
		if (ms % DAY == 0 && next < messages)
			submit(&w, MIN_OF(messages / batches + 1, messages - next), &next,
			       settings->sites);
		world_run(&w, STEP);
		ms += STEP;
		waited += (double)world_books(&w).queued * STEP;
		if (world_books(&w).deferred_attempts > (uint64_t)messages * FORTNIGHT_TRIES)
			break;
		if (settings->give_up_hours > 0 && (double)ms > settings->give_up_hours * HOUR)
			break;
	}
	*ret = (struct fortnight_result){
		.hours = (double)ms / HOUR,
		.wait = waited / messages / HOUR,
		.undone = messages - world_books(&w).delivered,
		.deferred = world_books(&w).deferred_attempts,
		.facts = *provider_sim_facts(provider),
	};
	assert_int_equal(world_books(&w).bounced, 0);
	world_end(&w);
	(void)unlink(path);
	provider_sim_free(provider);
}
