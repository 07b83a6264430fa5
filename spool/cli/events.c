/* spool/cli/events.c - what was accepted and what became of it: of the engine or of the files. */
#include <stdio.h>
#include <time.h>

#include "spool/cli/cli.h"
#include "spool/cli/style.h"

enum { FOLLOW_WAIT_MS = 300, EVENTS_AT_ONCE = 1000 };

/* A line for programs; people are told. */
static void print_event(const struct value *event)
{
	if (style_for_programs())
		print_json(event);
	else
		history_event(event);
}

static void print_events(const struct value *v)
{
	const struct value *events = member_list(v, "events");

	if (style.n_fields && !style_for_programs() && events->count)
		history_events(events);
	for (uint32_t i = 0; i < events->count && (style_for_programs() || !style.n_fields); i++)
		print_event(&events->items[i]);
	(void)fflush(stdout);
}

static int follow(struct cli *c)
{
	struct timespec wait = { 0, FOLLOW_WAIT_MS * 1000000L };
	struct value v;
	int r;

	while ((r = cli_ask_engine(c, "events", &v)) == 0) {
		uint64_t next = (uint64_t)member_int(&v, "next");
		print_events(&v);
		if (next == c->from)
			(void)nanosleep(&wait, NULL);
		c->from = next;
	}
	return cli_complain(c, r);
}

static int no_more_events(const struct cli *c, uint64_t shown, bool more)
{
	char how[96];

	(void)snprintf(how, sizeof(how), "go on with --from %llu", (unsigned long long)c->from);
	if (more)
		print_more("events", shown, how);
	return EXIT_DONE;
}

/* One document. */
static int events_json(struct cli *c)
{
	OWNED(tree) made = NULL;
	struct value v;
	int r = cli_ask_or_read(c, "events", offline_events, &made, &v);

	if (r < 0)
		return cli_complain(c, r);
	print_json(&v);
	c->from = (uint64_t)member_int(&v, "next");
	return no_more_events(c, member_list(&v, "events")->count, member_true(&v, "more"));
}

static int events_of_files(struct cli *c, uint64_t left)
{
	bool more = false;
	int r;

	c->max = left;
	*c->error = '\0';
	r = offline_each_event(c, print_event, &more);
	return r < 0 ? cli_complain(c, r) : no_more_events(c, left, more);
}

/* All of them, or as many as were asked for: page by page from an engine. */
static int events_lines(struct cli *c)
{
	const uint64_t most = c->bounded ? c->max : UINT32_MAX;
	uint64_t left = most;
	bool more = true;

	while (more && left) {
		struct value v;
		c->max = MIN_OF(left, (uint64_t)EVENTS_AT_ONCE);
		int r = cli_ask_engine(c, "events", &v);
		if (r == -ECONNREFUSED)
			return events_of_files(c, left);
		if (r < 0)
			return cli_complain(c, r);
		print_events(&v);
		c->from = (uint64_t)member_int(&v, "next");
		left -= MIN_OF(left, (uint64_t)member_list(&v, "events")->count);
		more = member_true(&v, "more");
	}
	return no_more_events(c, most - left, more);
}

int cmd_events(struct cli *c)
{
	if (c->from_ms) {
		(void)fprintf(stderr, "postern: events --from takes a position in the log\n");
		return EXIT_BAD_USAGE;
	}
	if (c->follow)
		return follow(c);
	return c->json && style.chosen && style.format != FORMAT_NDJSON ? events_json(c)
									: events_lines(c);
}
