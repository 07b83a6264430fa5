/* mta/deliver/outcome_log.c - from an outcome to its line in the log. */
#include "mta/deliver/outcome_log.h"

#include "base/log.h"
#include "message/header.h"

enum { PAIRS_MAX = 37 };

static const struct {
	const char *event;
	enum log_level level;
} kinds[] = {
	[OUTCOME_DELIVERED] = { "rcpt.delivered", LOG_DEBUG },
	[OUTCOME_BOUNCED] = { "rcpt.bounced", LOG_INFO },
	[OUTCOME_EXPIRED] = { "rcpt.expired", LOG_INFO },
	[OUTCOME_CANCELLED] = { "rcpt.cancelled", LOG_INFO },
	[OUTCOME_DEFERRED] = { "rcpt.deferred", LOG_INFO },
};

struct pairs {
	struct kv at[PAIRS_MAX];
	size_t n;
	char id[ID_TEXT_MAX], status[STATUS_TEXT_MAX];
};

static void add(struct pairs *p, struct kv pair)
{
	assert(p->n < PAIRS_MAX);
	p->at[p->n++] = pair;
}

/* Pairs that say nothing are left out. */
static void add_text(struct pairs *p, const char *key, struct slice s)
{
	if (s.n)
		add(p, kv_slice(key, s));
}

static void add_number(struct pairs *p, const char *key, int64_t v)
{
	if (v)
		add(p, kv_int(key, v));
}

/* The value without white space and brackets around it. */
static struct slice message_id_of(struct slice message)
{
	struct header_field f;
	size_t pos = 0;

	while (header_next(message, &pos, &f) > 0) {
		if (!slice_eq_nocase(f.name, SLICE("message-id")))
			continue;
		while (f.value.n && strchr(" \t\r\n<", f.value.p[0]))
			f.value = slice_skip(f.value, 1);
		while (f.value.n && strchr(" \t\r\n>", f.value.p[f.value.n - 1]))
			f.value.n--;
		return f.value;
	}
	return SLICE("");
}

static void add_job(struct pairs *p, const struct outcome *o, const struct chunk *k)
{
	bool bulk = k->info.class != CLASS_TRANSACTIONAL;

	add(p, kv_str("job", id_format(k->info.id, p->id)));
	add(p, kv_int("row", o->row));
	add(p, kv_slice("rcpt", o->rcpt));
	add(p, kv_int("attempt", o->attempt));
	add(p, kv_int("tenant", k->info.tenant));
	add_number(p, "campaign", (int64_t)k->info.campaign);
	add(p, kv_slice("stream", k->meta.stream.n ? k->meta.stream
				  : bulk           ? SLICE("bulk")
						   : SLICE("transactional")));
	add_text(p, "origin", k->meta.origin);
	add_text(p, "tag", k->meta.tag);
	add(p, kv_slice("sender", k->meta.mail_from));
}

static void add_tls(struct pairs *p, const struct outcome *o)
{
	add(p, kv_bool("tls", o->flags & OUTCOME_TLS));
	add_text(p, "tls_version", o->tls);
	add_text(p, "cipher", o->cipher);
	add_text(p, "tls_policy", o->policy);
	add_text(p, "tls_verified_by", o->proof);
}

static void add_session(struct pairs *p, const struct outcome *o, const struct outcome_facts *f)
{
	if (!f->channel || !f->txn)
		return;
	add(p, kv_bool("reused", o->flags & OUTCOME_REUSED_CONNECTION));
	add(p, kv_int("size", f->txn->head.n + f->txn->message.n));
	add_text(p, "message_id", message_id_of(f->txn->message));
	add(p, kv_int("dns_ms", o->took.dns_ms));
	add(p, kv_int("connect_ms", o->took.connect_ms));
	if (o->flags & OUTCOME_TLS)
		add(p, kv_int("tls_ms", o->took.tls_ms));
	add(p, kv_int("transaction_ms", o->took.transaction_ms));
}

static void add_path(struct pairs *p, const struct outcome *o, const struct outcome_facts *f)
{
	const struct site *site = f && f->channel ? f->channel->pool->site : NULL;
	struct slice provider =
	    site && site->provider ? slice_str(site->provider->name) : SLICE("");

	(void)slice_strip(&provider, SLICE("provider "));
	add_text(p, "provider", provider);
	if (site)
		add(p, kv_str("pool", egress_pool_name(f->channel->pool->sites->egress,
						       f->channel->pool->index)));
	add_text(p, "source", o->source);
	add_text(p, "host", o->host);
	add_text(p, "ip", o->ip);
	if (f) {
		add_tls(p, o);
		add_session(p, o, f);
	}
}

static void write_line(enum log_level level, const struct outcome *o, const struct chunk *k,
		       const struct outcome_facts *f)
{
	struct pairs p;

	p.n = 0;
	add_job(&p, o, k);
	add_path(&p, o, f);
	add(&p, kv_int("queued_ms", MAX_OF(o->at_ms - k->info.accepted_ms, 0)));
	add_number(&p, "code", o->code);
	add(&p, kv_str("dsn", status_format(o->status, p.status)));
	add_text(&p, "class", o->class);
	add_text(&p, "rule", o->rule);
	add_number(&p, "next", o->next_ms);
	add_text(&p, "text", o->text);
	log_write(level, kinds[o->kind].event, p.at, p.n);
}

void outcome_log(const struct deliverer *dr, const struct outcome *o, const struct chunk *k,
		 const struct outcome_facts *f)
{
	enum log_level level = kinds[o->kind].level;

	if (o->kind == OUTCOME_DELIVERED && dr->host->log_deliveries)
		level = LOG_INFO;
	if (log_enabled(level))
		write_line(level, o, k, f);
}
