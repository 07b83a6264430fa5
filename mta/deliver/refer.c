/* mta/deliver/refer.c - where a message says whom it is for: its own return path, a field for
 * complaints whose writer has removed the rest, and an address to unsubscribe at. */
#include "mta/deliver/delivery.h"
#include "message/header.h"

/* Where mail of this job comes back to us, and whether its return path may be ours. */
static struct slice host_of(const struct deliverer *dr, const struct delivery *d, bool *ret_path)
{
	const struct returnpath_options *o = dr->returns;
	const struct wire_job_meta *meta = &d->chunk->meta;
	const char *at =
	    meta->mail_from.n ? memrchr(meta->mail_from.p, '@', meta->mail_from.n) : NULL;
	struct slice domain = at ? slice_skip(meta->mail_from, (size_t)(at + 1 - meta->mail_from.p))
				 : slice_of("", 0);

	*ret_path = false;
	if (!meta->mail_from.n)
		return slice_of("", 0);
	if (!slice_eq(meta->origin, SLICE("smtp"))) {
		*ret_path = returnpath_has_host(o, domain);
		return *ret_path ? domain : returnpath_first_host(o);
	}
	*ret_path = o->rewrite && domain.n;
	return returnpath_first_host(o);
}

/* ", <mailto:...>" behind what List-Unsubscribe (RFC 2369) has; a message without it gets none. */
static int add_unsubscribe(struct buf *message, struct slice address)
{
	static const char before[] = ",\r\n <mailto:", after[] = "?subject=unsubscribe>";
	size_t pos = 0, at, n = sizeof(before) - 1 + address.n + sizeof(after) - 1;
	struct header_field f;
	char *p;
	int r;

	do
		r = header_next(buf_data(message), &pos, &f);
	while (r > 0 && !slice_eq_nocase(f.name, SLICE("List-Unsubscribe")));
	if (r <= 0)
		return r;
	at = (size_t)(f.value.p + f.value.n - buf_data(message).p);
	r = buf_reserve(message, n);
	if (r < 0)
		return r;
	p = message->p + message->start + at;
	memmove(p + n, p, buf_len(message) - at);
	memcpy(p, before, sizeof(before) - 1);
	memcpy(p + sizeof(before) - 1, address.p, address.n);
	memcpy(p + sizeof(before) - 1 + address.n, after, sizeof(after) - 1);
	message->end += n;
	return 0;
}

static bool has_mailto(struct slice field)
{
	for (size_t i = 0; i < field.n; i++)
		if (slice_starts_nocase(slice_skip(field, i), SLICE("mailto:")))
			return true;
	return false;
}

/* What an application submitted has a field of its own, which may have its own mailto: that is the
 * application's to read.  A signature that it brought along would break. */
static bool submitted_wants(struct slice message)
{
	struct header_scan scan;
	struct header_field f;
	size_t pos = 0;
	int r;

	do
		r = header_next(message, &pos, &f);
	while (r > 0 && !slice_eq_nocase(f.name, SLICE("List-Unsubscribe")));
	return r > 0 && !has_mailto(f.value) && header_scan(message, &scan) == 0 && !scan.dkim;
}

/* The message of one recipient: true, where an address of ours may stand in it. */
static int begin_unsubscribe(const struct deliverer *dr, struct delivery *d)
{
	int r;

	if (!dr->returns->unsubscribe)
		return 0;
	if (d->content->program)
		return 1;
	if (!d->alone || !submitted_wants(d->txn.message))
		return 0;
	buf_clear(&d->message);
	r = buf_append(&d->message, d->txn.message);
	return r < 0 ? r : 1;
}

static int refer_unsubscribe(struct deliverer *dr, struct delivery *d, struct verp t,
			     struct slice host)
{
	char address[RETURNPATH_MAX];
	size_t n;
	int r = begin_unsubscribe(dr, d);

	if (r <= 0)
		return r;
	t.kind = VERP_UNSUBSCRIBE;
	n = returnpath_write(dr->returnpath, &t, host, address);
	r = n ? add_unsubscribe(&d->message, slice_of(address, n)) : 0;
	d->txn.message = buf_data(&d->message);
	return r;
}

int delivery_refer(struct deliverer *dr, struct delivery *d, uint32_t row)
{
	bool path;
	struct slice host, address;
	struct verp t = { .kind = VERP_BOUNCE,
			  .job = d->chunk->info.id,
			  .row = (uint16_t)row,
			  .tenant = d->chunk->info.tenant };
	size_t n;

	d->alone = false;
	if (!dr->returns->n_hosts)
		return 0;
	host = host_of(dr, d, &path);
	if (!host.n)
		return 0;
	if (!path && d->many && !d->content->program)
		t.row = VERP_ROW_ANY; /* several recipients get the same bytes */
	t.last_day = returnpath_last_day(dr->returns);
	n = returnpath_write(dr->returnpath, &t, host, d->return_path);
	if (!n)
		return 0;
	address = slice_of(d->return_path, n);
	if (path) {
		d->txn.mail_from = address;
		d->alone = true;
	}
	buf_put(&d->head, SLICE("X-Postern-Ref: "));
	buf_put(&d->head, address);
	buf_put(&d->head, SLICE("\r\n"));
	d->txn.head = buf_data(&d->head);
	return refer_unsubscribe(dr, d, t, host);
}
