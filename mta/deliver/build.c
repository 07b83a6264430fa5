/* mta/deliver/build.c - the message of one recipient: expanded, signed, the first one judged. */
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/deliver/delivery.h"
#include "mta/deliver/outcome.h"
#include "mta/deliver/signer.h"
#include "mta/queue/needs.h"
#include "message/header.h"
#include "message/sevenbit.h"

static int expand(struct deliverer *dr, struct delivery *d, const struct rcpt *r)
{
	char message_id[MESSAGE_ID_MAX + 1];
	const struct wire_job_meta *meta = &d->chunk->meta;
	struct slice domain =
	    meta->message_id_domain.n ? meta->message_id_domain : slice_str(dr->host->hostname);
	struct wire_row row;
	int64_t start = clock_mono_us();
	int err;

	err = wire_rows_get(d->chunk->rows, r->row, &row);
	if (err < 0)
		return err;
	struct expand_input in = {
		.fields = row.fields,
		.n_fields = row.n_fields,
		.recipient = row.address,
		.message_id =
		    message_ids_write(dr->ids, d->chunk->info.id, r->row, domain, message_id),
		.date_ms = meta->date_ms ? meta->date_ms : d->chunk->info.accepted_ms,
	};
	err = program_expand(d->content->program, &in, &d->message);
	count_add(&dr->counters.expansions, 1);
	count_add(&dr->counters.expand_us, (uint64_t)(clock_mono_us() - start));
	d->txn.message = buf_data(&d->message);
	return err;
}

/* Guarantee: libopendkim checks the first message of a content, and the first one with new keys,
 *            before it or any other of them leaves this lane.  E_CONFLICT: it does not verify. */
static int judge(struct deliverer *dr, struct delivery *d, struct keyring *keys)
{
	struct slice domain = d->content->meta.sign_domain;
	struct buf whole;
	int r;

	if (keys->judged && (d->content->judged || !d->content->program))
		return 0;
	buf_init(&whole, 0);
	buf_put(&whole, d->txn.head);
	buf_put(&whole, d->txn.message);
	r = sign_verify(keys->keys, keys->n, buf_data(&whole));
	buf_free(&whole);
	count_add(&dr->counters.judged, 1);
	if (r < 0) {
		log_error("sign.judged-wrong", kv_slice("domain", domain),
			  kv_int("job", d->chunk->job), kv_err("reason", r));
		return E_CONFLICT;
	}
	keys->judged = d->content->judged = true;
	return 0;
}

/* 0; E_UNKNOWN: there is no key; E_CONFLICT as judge(); E_CRYPTO, E_SYNTAX as sign_message(). */
static int sign(struct deliverer *dr, struct delivery *d)
{
	struct slice domain = d->content->meta.sign_domain;
	struct keyring *keys;
	int64_t start;
	int r;

	if (!domain.n)
		return signer_missing(dr, domain, d->chunk);
	keys = signer_find(dr, domain, d->chunk->info.tenant);
	/* Submission names the domain of From; nobody promised keys for it. */
	if (!keys->n && !keys->err && slice_eq(d->chunk->meta.origin, SLICE("smtp")))
		return signer_missing(dr, domain, d->chunk);
	if (!keys->n)
		return keys->err < 0 ? keys->err : E_UNKNOWN;
	start = clock_mono_us();
	r = sign_message(keys->keys, keys->n, d->txn.message, clock_wall_ms() / 1000, &d->head);
	count_add(&dr->counters.signatures, keys->n);
	count_add(&dr->counters.sign_us, (uint64_t)(clock_mono_us() - start));
	d->txn.head = buf_data(&d->head);
	return r < 0 ? r : judge(dr, d, keys);
}

/* 7-bit, for a host without 8BITMIME.  What cannot be converted stays as it is, and the session
 * bounces it. */
static void recode(struct delivery *d)
{
	buf_clear(&d->recoded);
	if (sevenbit_append(&d->recoded, d->txn.message) < 0) {
		buf_clear(&d->recoded);
		return;
	}
	d->txn.message = buf_data(&d->recoded);
	d->txn.body_8bit = false;
}

/* Conversion breaks a signature that the message brought along.  Where ours does not take its
 * place, a clear bounce is better than mail that fails its checks. */
static void keep_their_signature(struct deliverer *dr, struct delivery *d, bool signed_by_us)
{
	struct header_scan scan;

	if (signed_by_us || header_scan(d->txn.message, &scan) < 0 || !scan.dkim) {
		count_add(&dr->counters.recoded, 1);
		return;
	}
	d->txn.message = d->content->program ? buf_data(&d->message) : buf_data(&d->content->bytes);
	d->txn.body_8bit = true;
}

int delivery_build(struct deliverer *dr, struct delivery *d, rcpt_ref ref, bool takes_8bit)
{
	struct wire_content_meta needs = d->content->meta;
	size_t before;
	int r = 0;

	d->txn = (struct txn){
		.mail_from = d->chunk->meta.mail_from.n ? d->chunk->meta.mail_from : SLICE(""),
		.head = SLICE(""),
		.message = buf_data(&d->content->bytes),
		.envid = d->chunk->meta.envid,
		.return_headers = d->chunk->meta.return_headers,
		.return_full = d->chunk->meta.return_full,
		.rcpts = d->rcpts,
	};
	if (d->content->program) {
		r = expand(dr, d, queue_rcpt(dr->queue, ref));
		needs_trim(&needs, d->txn.message);
	}
	if (r >= 0)
		r = delivery_refer(dr, d, queue_rcpt(dr->queue, ref)->row);
	d->txn.body_8bit = needs.body_8bit;
	d->txn.utf8 = needs.utf8 || needs_8bit(d->txn.mail_from);
	if (r == 0 && d->txn.body_8bit && !d->txn.utf8 && !takes_8bit)
		recode(d);
	before = d->txn.head.n;
	r = r < 0 ? r : sign(dr, d);
	if (r == 0 && buf_len(&d->recoded))
		keep_their_signature(dr, d, d->txn.head.n > before);
	return r;
}

void delivery_cannot_build(struct deliverer *dr, const struct delivery *d, rcpt_ref ref, int err)
{
	char text[320];
	struct slice domain = d->content->meta.sign_domain;

	if (err == E_CONFLICT) {
		(void)snprintf(text, sizeof(text),
			       "the DKIM signature for %.*s does not verify; check its keys",
			       (int)MIN_OF(domain.n, (size_t)253), domain.p);
		outcome_plain(dr, ref, OUTCOME_DEFERRED, slice_str(text), STATUS(4, 7, 5), 0);
	} else if (err == E_DENIED) {
		(void)snprintf(text, sizeof(text), "the DKIM keys of %.*s are not used: %s",
			       (int)MIN_OF(domain.n, (size_t)253), domain.p, keydir_reason(err));
		outcome_plain(dr, ref, OUTCOME_DEFERRED, slice_str(text), STATUS(4, 7, 5), 0);
	} else if (err == E_UNKNOWN || err == E_CRYPTO) {
		(void)snprintf(text, sizeof(text),
			       "there is no usable DKIM key for %.*s in keys.dir",
			       (int)MIN_OF(domain.n, (size_t)253), domain.p);
		outcome_plain(dr, ref, OUTCOME_DEFERRED, slice_str(text), STATUS(4, 7, 5), 0);
	} else if (err == E_SYNTAX || err == E_LIMIT || err == E_CORRUPT) {
		(void)snprintf(text, sizeof(text), "the message cannot be built: %s",
			       err_text(err));
		outcome_plain(dr, ref, OUTCOME_BOUNCED, slice_str(text), STATUS(5, 6, 0), 0);
	} else {
		outcome_plain(dr, ref, OUTCOME_DEFERRED, slice_str(err_text(err)), STATUS(4, 3, 0),
			      0);
	}
}
