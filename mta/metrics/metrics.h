/* mta/metrics/metrics.h - the engine's numbers for Prometheus: over HTTP at metrics.listen, and for
 * whoever asks on the front desk.  docs/METRICS.md lists them.
 *
 * Files:   names.c says what they are called, top.c which names become labels, gather.c asks the
 *          lanes, write.c writes all, text.c one sample; web.c reads a request, server.c answers.
 * Owns:    metrics_ask() keeps the question until it is answered, or the engine ends.
 * Threads: the front desk's; lanes are asked with lane_post().
 * Limits:  METRICS_CLIENTS_MAX clients at a time, each for one request of WEB_HEAD_MAX bytes
 *          within 10 seconds, and its answer within 30; a label has METRICS_NAMES_MAX names, the
 *          rest is "other". */
#pragma once
#include "base/buf.h"
#include "mta/config/entries.h"
#include "mta/core/part.h"

enum { METRICS_CLIENTS_MAX = 16, METRICS_NAMES_MAX = 50 };

extern const struct part metrics_part;

struct metrics_options {
	char *listen, *group;
	struct listener at; /* from listen; port 0: it is a path, or empty */
};
extern const struct option_set metrics_option_set;

/* done() gets the text, once, on the front desk; not called when the engine ends before. */
struct metrics_asker {
	struct list link;
	void (*done)(struct metrics_asker *a, struct slice text);
};
void metrics_ask(struct engine *e, struct metrics_asker *a);
void metrics_cancel(struct metrics_asker *a); /* harmless when it does not wait */
/* HELP and TYPE of all metrics of these parts, without an engine. */
void metrics_heads(const struct part *const *parts, unsigned n, struct buf *out);
