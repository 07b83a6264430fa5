/* mta/metrics/text.h - Prometheus' text format, version 0.0.4: HELP and TYPE of a metric, then its
 * samples.  Names are ours; the values of labels are escaped here, and what is not UTF-8 in them
 * becomes U+FFFD.
 * Owns:   nothing. */
#pragma once
#include "base/buf.h"
#include "base/histogram.h"

struct text {
	struct buf *out;
	bool heads_only;  /* no samples: what there is, without an engine */
	const char *last; /* the metric whose head was put last */
};
enum text_type { TEXT_COUNTER, TEXT_GAUGE, TEXT_HISTOGRAM };
/* name: without "postern_", with "_total".  Harmless when it is the last one's again. */
void text_head(struct text *t, const char *name, enum text_type type, const char *help);
/* A label of the next sample; NULL label ends the pairs. */
struct text_label {
	const char *name;
	struct slice value;
};
enum { TEXT_LABELS_MAX = 3 };
void text_sample(struct text *t, const char *name, const struct text_label *labels, double value);
/* pair: label="value", or NULL. */
void text_value(struct text *t, const char *name, const char *pair, double value);
void text_histogram(struct text *t, const char *name, const char *help,
		    const struct histogram_scale *s, const struct histogram *h);
