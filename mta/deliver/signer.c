/* mta/deliver/signer.c - the domain's keys or those of one above it; unsigned mail. */
#include "mta/deliver/signer.h"

#include "base/log.h"

enum { LOG_EVERY_MS = 60 * 1000 };

/* ---- a domain above ---------------------------------------------------------------------- */

/* "b.example.com" from "a.b.example.com"; n is 0 for what has only two labels. */
static struct slice above(struct slice domain)
{
	struct slice first, rest, next, last;

	if (!slice_cut(domain, '.', &first, &rest) || !slice_cut(rest, '.', &next, &last))
		return slice_of("", 0);
	return rest;
}

/* 0: nobody's that is known. */
static uint64_t owner_of(struct deliverer *dr, struct slice domain)
{
	struct known_sender who;

	return senders_find(dr->senders, domain, &who) ? who.tenant : 0;
}

/* Notes which domain above signs for this one, for as long as its own lack of keys counts. */
static void look_above(struct deliverer *dr, struct keyring *k, int64_t now)
{
	struct slice own = slice_str(k->domain), d = own;

	k->above = 0;
	k->above_look_ms = k->look_again_ms;
	while ((d = above(d)).n) {
		const struct keyring *other =
		    keyrings_get(&dr->keys, dr->options->keys_dir, d, now);

		if (!other->n)
			continue;
		k->above = (uint16_t)(own.n - d.n);
		k->above_tenant = owner_of(dr, d);
		return;
	}
}

struct keyring *signer_find(struct deliverer *dr, struct slice domain, uint64_t tenant)
{
	int64_t now = sites_now(dr->sites);
	struct keyring *k = keyrings_get(&dr->keys, dr->options->keys_dir, domain, now);

	if (k->n || k->err < 0)
		return k;
	if (k->above_look_ms <= now)
		look_above(dr, k, now);
	if (!k->above || (k->above_tenant && k->above_tenant != tenant))
		return k;
	return keyrings_get(&dr->keys, dr->options->keys_dir, slice_str(k->domain + k->above), now);
}

/* ---- nobody signs ------------------------------------------------------------------------ */

int signer_missing(struct deliverer *dr, struct slice domain, const struct chunk *k)
{
	int64_t now = sites_now(dr->sites);
	bool refused = dr->options->sign != SIGN_WHEN_POSSIBLE && k->meta.mail_from.n;

	if (!refused)
		count_add(&dr->counters.unsigned_messages, 1);
	dr->unsigned_since++;
	if (now >= dr->unsigned_log_ms) {
		log_info("sign.unsigned", kv_slice("domain", domain), kv_int("job", k->job),
			 kv_int("messages", dr->unsigned_since), kv_int("refused", refused));
		dr->unsigned_log_ms = now + LOG_EVERY_MS;
		dr->unsigned_since = 0;
	}
	return refused ? E_UNKNOWN : 0;
}

bool deliver_must_refuse(struct lane *l, struct slice domain, uint64_t tenant)
{
	struct deliverer *dr = lane_state(l, &deliver_part);

	if (!dr || dr->options->sign != SIGN_OR_REFUSE)
		return false;
	return !domain.n || !signer_find(dr, domain, tenant)->n;
}
