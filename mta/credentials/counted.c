/* mta/credentials/counted.c - what was sent, written and read again. */
#include "mta/credentials/counted.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "spool/beside.h"

/* ---- a line ------------------------------------------------------------------------------ */

static void put_window(struct buf *out, const struct quota_window *w)
{
	buf_putf(out, " %" PRIi64 " %" PRIu64 " %" PRIu64, w->begin_ms, w->now, w->before);
}

void counted_line_put(struct buf *out, const struct counted_line *l)
{
	if (l->name.n)
		buf_putf(out, "=%.*s", (int)l->name.n, l->name.p);
	else
		buf_putf(out, "%" PRIu64 "/%" PRIu64, l->tenant, l->id);
	put_window(out, &l->hour);
	put_window(out, &l->day);
	buf_put(out, SLICE("\n"));
}

static bool take_number(struct slice *line, uint64_t *ret)
{
	return slice_u64(slice_take(line, ' '), INT64_MAX, ret) >= 0;
}

static bool take_window(struct slice *line, struct quota_window *ret)
{
	uint64_t begin;

	if (!take_number(line, &begin))
		return false;
	ret->begin_ms = (int64_t)begin;
	return take_number(line, &ret->now) && take_number(line, &ret->before);
}

bool counted_line_take(struct slice line, struct counted_line *ret)
{
	struct slice key = slice_take(&line, ' '), tenant, id;

	*ret = (struct counted_line){ .name = SLICE("") };
	if (slice_strip(&key, SLICE("=")))
		ret->name = key;
	else if (!slice_cut(key, '/', &tenant, &id) ||
		 slice_u64(tenant, UINT64_MAX, &ret->tenant) < 0 ||
		 slice_u64(id, UINT64_MAX, &ret->id) < 0)
		return false;
	return (ret->name.n || ret->tenant) && take_window(&line, &ret->hour) &&
	       take_window(&line, &ret->day) && !line.n;
}

/* ---- the file ---------------------------------------------------------------------------- */

static void put_one(void *arg, const struct credential *cred)
{
	struct counted_line l = { .name = cred->fed ? SLICE("") : cred->name,
				  .tenant = cred->tenant,
				  .id = cred->id };

	quota_windows(cred->quota, &l.hour, &l.day);
	if (l.day.now || l.day.before)
		counted_line_put(arg, &l);
}

static int write_file(struct engine *e, struct slice bytes)
{
	const struct disk *d;
	int dirfd = spool_folder(engine_spool(e), &d);

	return beside_write(d, dirfd, COUNTED_FILE, bytes);
}

void counted_save(struct credentials *c)
{
	struct buf text = { 0 };
	uint64_t print;
	int r;

	credentials_each(c, put_one, &text);
	print = buf_len(&text) ? hash_stable(buf_data(&text)) : 0;
	if (print == c->counted_print) {
		buf_free(&text);
		return;
	}
	r = write_file(c->engine, buf_data(&text));
	buf_free(&text);
	if (r < 0)
		log_warn("credentials.not-counted", kv_err("reason", r));
	else
		c->counted_print = print;
}

static int read_file(struct engine *e, struct buf *ret)
{
	const struct disk *d;
	int dirfd = spool_folder(engine_spool(e), &d);

	return beside_read(d, dirfd, COUNTED_FILE, COUNTED_FILE_MAX, ret);
}

void counted_load(struct credentials *c)
{
	struct buf text = { 0 };
	struct slice rest;
	struct counted_line l;
	int r = read_file(c->engine, &text);

	if (r < 0 && r != -ENOENT)
		log_warn("credentials.counts-unreadable", kv_err("reason", r));
	rest = r < 0 ? SLICE("") : buf_data(&text);
	while (rest.n) {
		struct credential *cred = NULL;

		if (counted_line_take(slice_take(&rest, '\n'), &l))
			cred = l.name.n ? credentials_find_locked(c, l.name, false)
					: credentials_find_fed(c, l.tenant, l.id);
		if (cred)
			quota_restore(cred->quota, &l.hour, &l.day, clock_wall_ms());
	}
	buf_free(&text);
}
