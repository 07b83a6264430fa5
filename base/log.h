/* base/log.h - events, not sentences: a dotted name, then typed pairs, one line each.
 *	ts=2026-… level=info event=rcpt.deferred rcpt="a@b.example" code=451 tls=false
 *	{"ts":"2026-…","level":"info","event":"rcpt.deferred","rcpt":"a@b.example","code":451,…}
 * Values are quoted and escaped here, because peers write some of them: in both forms a quoted
 * value is a JSON string (RFC 8259).  Bytes that are not UTF-8 become U+FFFD.  Never pass a secret.
 * Guarantee: a line reads back to the pairs it was made of, whatever is in the values.
 * Blocks:  on the write to the descriptor.
 * Threads: each line is one write().
 * Limits:  a value is cut at LOG_VALUE_MAX bytes; pairs that no longer fit into LOG_LINE_MAX are
 *          left out.  Either way the last pair is truncated=true. */
#pragma once
#include "base/base.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_LOGFMT, LOG_JSON };
/* A line fits into one atomic write to a pipe. */
enum { LOG_LINE_MAX = 4096, LOG_VALUE_MAX = 1024 };

struct kv {
	const char *key;
	enum { KV_STR, KV_INT, KV_ERR, KV_BOOL } type;
	struct slice s;
	int64_t i;
};
#define kv_slice(k, v) ((struct kv){ .key = (k), .type = KV_STR, .s = (v) })
#define kv_str(k, v) ((struct kv){ .key = (k), .type = KV_STR, .s = slice_str(v) })
#define kv_int(k, v) ((struct kv){ .key = (k), .type = KV_INT, .i = (int64_t)(v) })
#define kv_bool(k, v) ((struct kv){ .key = (k), .type = KV_BOOL, .i = (v) ? 1 : 0 })
#define kv_err(k, v) ((struct kv){ .key = (k), .type = KV_ERR, .i = (v) })

void log_open(int fd, enum log_level level); /* default: stderr, LOG_INFO */
bool log_enabled(enum log_level level);
int log_level_parse(struct slice s, enum log_level *ret) MUST_CHECK; /* error warn info debug */
/* Before the threads start, or at a reload: lines of either form may follow each other. */
void log_set_format(enum log_format format);
int log_format_parse(struct slice s, enum log_format *ret) MUST_CHECK; /* logfmt json */
/* The line of an event, with its newline; buf holds LOG_LINE_MAX.  Gives its length. */
size_t log_line(char *buf, enum log_format format, int64_t wall_ms, enum log_level level,
		const char *event, const struct kv *pairs, size_t n);
void log_write(enum log_level level, const char *event, const struct kv *pairs, size_t n);

#define log_at(level, event, ...)                                                                  \
	do {                                                                                       \
		if (log_enabled(level)) {                                                          \
			const struct kv kvs_[] = { __VA_ARGS__ };                                  \
			log_write(level, event, kvs_, ARRAY_LEN(kvs_));                            \
		}                                                                                  \
	} while (0)
#define log_error(event, ...) log_at(LOG_ERROR, event, __VA_ARGS__)
#define log_warn(event, ...) log_at(LOG_WARN, event, __VA_ARGS__)
#define log_info(event, ...) log_at(LOG_INFO, event, __VA_ARGS__)
#define log_debug(event, ...) log_at(LOG_DEBUG, event, __VA_ARGS__)
