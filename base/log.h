/* base/log.h - events, not sentences: a dotted name, then typed pairs, one line each.
 *	time=2026-… level=info event=rcpt.deferred rcpt="a@b.example" code=451
 * Values are quoted and escaped here (CR, LF, controls, quotes, invalid UTF-8 as \xNN), because
 * peers write some of them.  Never pass a secret.
 * Blocks:  on the write to the descriptor.
 * Threads: each line is one write(). */
#pragma once
#include "base/base.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct kv {
	const char *key;
	enum { KV_STR, KV_INT, KV_ERR } type;
	struct slice s;
	int64_t i;
};
#define kv_slice(k, v) ((struct kv){ .key = (k), .type = KV_STR, .s = (v) })
#define kv_str(k, v) ((struct kv){ .key = (k), .type = KV_STR, .s = slice_str(v) })
#define kv_int(k, v) ((struct kv){ .key = (k), .type = KV_INT, .i = (int64_t)(v) })
#define kv_err(k, v) ((struct kv){ .key = (k), .type = KV_ERR, .i = (v) })

void log_open(int fd, enum log_level level); /* default: stderr, LOG_INFO */
bool log_enabled(enum log_level level);
int log_level_parse(struct slice s, enum log_level *ret) MUST_CHECK; /* error warn info debug */
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
