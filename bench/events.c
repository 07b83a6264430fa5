/* bench/events.c - takes the engine's events back, as the control plane does, and counts them.
 *
 *	postern-events --socket PATH --name CONSUMER --stats FILE
 *
 * Every frame is acknowledged with CURSOR, so that the log is not kept for it.  On SIGTERM and
 * SIGUSR1 the counts go to FILE as one JSON object: accepted (rows), delivered, bounced,
 * expired, cancelled, deferred.  When a position is lower than the one before it, the program
 * ends with status 1. */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "bench/link_client.h"

static struct {
	const char *socket, *name, *stats;
} conf;
static uint64_t counts[LINK_ACCEPTED + 1], last_lsn;
static volatile sig_atomic_t stopping, report;

static const struct {
	const char *name;
	unsigned kind;
} kinds[] = {
	{ "accepted", LINK_ACCEPTED },   { "delivered", LINK_DELIVERED },
	{ "bounced", LINK_BOUNCED },     { "expired", LINK_EXPIRED },
	{ "cancelled", LINK_CANCELLED }, { "deferred", LINK_DEFERRED },
};

static void write_stats(void)
{
	FILE *f = fopen(conf.stats, "w");

	if (!f) {
		fprintf(stderr, "postern-events: %s: %s\n", conf.stats, err_text(-errno));
		exit(1);
	}
	for (unsigned i = 0; i < ARRAY_LEN(kinds); i++)
		fprintf(f, "%s\"%s\":%" PRIu64, i ? "," : "{", kinds[i].name,
			counts[kinds[i].kind]);
	fprintf(f, "}\n");
	fclose(f);
}

static void count(const struct link_event *e)
{
	if (e->lsn < last_lsn) {
		fprintf(stderr, "postern-events: position %" PRIu64 " after %" PRIu64 "\n", e->lsn,
			last_lsn);
		exit(1);
	}
	last_lsn = e->lsn;
	if (e->kind < ARRAY_LEN(counts))
		counts[e->kind] += e->kind == LINK_ACCEPTED ? e->row : 1;
}

static void take(const struct link_frame *f)
{
	struct link_frame safe = { .type = LINK_CURSOR, .lsn = f->events.next };
	struct link_event e;
	size_t pos = 0;
	int r;

	while ((r = link_event_next(f, &pos, &e)) > 0)
		count(&e);
	if (r < 0) {
		fprintf(stderr, "postern-events: event: %s\n", err_text(r));
		exit(1);
	}
	bench_link_put(&safe);
}

static void on_signal(int sig)
{
	if (sig == SIGUSR1)
		report = 1;
	else
		stopping = 1;
}

static void arguments(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "socket", 1, 0, 's' }, { "name", 1, 0, 'n' }, { "stats", 1, 0, 'o' }, { 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's':
			conf.socket = optarg;
			break;
		case 'n':
			conf.name = optarg;
			break;
		case 'o':
			conf.stats = optarg;
			break;
		default:
			exit(2);
		}
	}
	if (!conf.socket || !conf.name || !conf.stats) {
		fprintf(stderr,
			"usage: postern-events --socket PATH --name CONSUMER --stats FILE\n");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct link_frame f = { .type = LINK_SUBSCRIBE };

	arguments(argc, argv);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	bench_link_open(conf.socket, conf.name);
	bench_link_put(&f);
	while (!stopping) {
		if (bench_link_hear(&f) && f.type == LINK_EVENTS)
			take(&f);
		if (report) {
			report = 0;
			write_stats();
		}
	}
	write_stats();
	bench_link_close();
	return 0;
}
