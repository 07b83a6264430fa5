/* mta/reports/facts.c - whom a mail is about, and what makes two of them the same. */
#include "mta/reports/facts.h"

#include <openssl/evp.h>

struct making {
	struct facts *to;
	struct returnpath *rp;
	struct slice ip, sender, message;
	struct id128 mail;
	int64_t at_ms;
	const struct said *said;
};

static struct slice next_text(struct slice *rest)
{
	struct slice s = slice_take(rest, '\0');

	return s;
}

static bool token_of(const struct making *m, struct slice address, struct verp *ret)
{
	const char *at = address.n ? memrchr(address.p, '@', address.n) : NULL;
	size_t n = at ? (size_t)(at - address.p) : 0;

	return n &&
	       returnpath_read(m->rp, slice_of(address.p, n), slice_skip(address, n + 1), ret) == 0;
}

/* The first 64 bits of SHA-256.  Nobody outside can choose what is in it for another's fact: for a
 * recipient of ours it holds their job and row. */
static uint64_t hash_of(const struct slice *parts, size_t n)
{
	struct buf all = { 0 };
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_n = 0;
	uint64_t key = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t length = parts[i].n;
		buf_put(&all, slice_of(&length, sizeof(length)));
		buf_put(&all, parts[i]);
	}
	if (EVP_Digest(buf_data(&all).p, buf_len(&all), digest, &digest_n, EVP_sha256(), NULL))
		memcpy(&key, digest, sizeof(key));
	buf_free(&all);
	return key;
}

/* A recipient has one complaint, one unsubscribe, one bounce of a kind.  What is about nobody that
 * we know is the same when its bytes are, or when its maker gave it the same name. */
static uint64_t key_of(const struct making *m, const struct late_fact *f)
{
	const uint16_t what[] = { (uint16_t)f->kind, f->status.class, f->status.subject,
				  f->status.detail, f->flags };
	const uint64_t who[] = { f->job.hi, f->job.lo, f->row };
	bool known = f->job.hi || f->job.lo;
	bool named = m->said && m->said->identity.n;
	const struct slice parts[] = {
		slice_of(what, sizeof(what)),
		slice_of(who, sizeof(who)),
		known && f->row != VERP_ROW_ANY ? slice_of("", 0) : f->rcpt,
		known   ? slice_of("", 0)
		: named ? m->said->identity
			: m->message,
	};

	return hash_of(parts, ARRAY_LEN(parts));
}

static void add(struct making *m, struct late_fact f, const struct verp *token)
{
	if (m->to->n == FACTS_MAX)
		return;
	f.mail = m->mail;
	f.seq = m->to->n;
	f.at_ms = m->at_ms;
	f.ip = m->ip;
	if (m->said)
		f.host = m->said->host;
	if (token) {
		f.job = token->job;
		f.row = token->row;
		f.tenant = token->tenant;
	}
	f.key = key_of(m, &f);
	m->to->at[m->to->n++] = f;
}

static struct late_fact of_mail(const struct making *m, unsigned kind, struct slice to)
{
	return (struct late_fact){ .kind = kind,
				   .to = to,
				   .evidence = m->said ? m->said->evidence : m->message,
				   .rule = m->said ? slice_of("", 0) : SLICE("unreadable"),
				   .report = m->said ? m->said->report : slice_of("", 0) };
}

static struct late_fact of_recipient(const struct making *m, const struct said_recipient *who,
				     struct slice to)
{
	unsigned kind = m->said->kind;
	struct late_fact f = of_mail(m, kind == LATE_DSN && who->fine ? LATE_OTHER : kind, to);

	f.rcpt = who->address;
	f.status = who->status;
	f.code = who->code;
	f.flags = f.kind == LATE_DSN && who->hard ? OUTCOME_HARD : 0;
	if (kind == LATE_DSN || kind == LATE_DELAY)
		f.class = slice_str(judge_class_name(who->class));
	if (who->text.n)
		f.evidence = who->text;
	return f;
}

/* Of several recipients in a notice about one of ours, the one that says most: a hard failure, else
 * a failure, else the first. */
static const struct said_recipient *telling(const struct said *s)
{
	const struct said_recipient *best = s->n ? &s->rcpt[0] : NULL;

	for (unsigned i = 1; i < s->n; i++) {
		const struct said_recipient *who = &s->rcpt[i];
		if ((who->hard && !best->hard) || (best->fine && !who->fine))
			best = who;
	}
	return best;
}

static bool is_notice(unsigned kind)
{
	return kind == LATE_DSN || kind == LATE_DELAY || kind == LATE_COMPLAINT;
}

/* It came to an address that names one recipient. */
static void about_one(struct making *m, struct slice to, const struct verp *token)
{
	const struct said_recipient *who = m->said ? telling(m->said) : NULL;
	unsigned kind = m->said ? m->said->kind : LATE_OTHER;

	if (token->kind == VERP_UNSUBSCRIBE && m->said && m->sender.n && !is_notice(kind))
		kind = LATE_UNSUBSCRIBE;
	else if (kind == LATE_UNSUBSCRIBE || kind == LATE_DMARC || kind == LATE_TLSRPT)
		kind = LATE_OTHER; /* nothing of the kind is sent to a return path */
	if (who && is_notice(kind))
		add(m, of_recipient(m, who, to), token);
	else
		add(m, of_mail(m, kind, to), token);
}

/* It came to a mailbox: whom it is about, the message that it holds may say. */
static void about_any(struct making *m, struct slice to)
{
	const struct said *s = m->said;
	const struct said_recipient *who;
	struct verp token;
	bool known = false;

	for (unsigned i = 0; s && i < s->n_refs && !known; i++)
		known = token_of(m, s->refs[i], &token);
	who = s && is_notice(s->kind) ? telling(s) : NULL;
	if (known && token.row != VERP_ROW_ANY && who) {
		add(m, of_recipient(m, who, to), &token);
		return;
	}
	for (unsigned i = 0; who && i < s->n; i++)
		add(m, of_recipient(m, &s->rcpt[i], to), known ? &token : NULL);
	if (!who)
		add(m, of_mail(m, s ? s->kind : LATE_OTHER, to),
		    known && s->kind != LATE_DMARC && s->kind != LATE_TLSRPT ? &token : NULL);
}

void facts_make(struct facts *ret, struct returnpath *rp, struct id128 mail, int64_t at_ms,
		struct slice envelope, struct slice message, const struct said *said)
{
	struct making m = {
		.to = ret, .rp = rp, .message = message, .mail = mail, .at_ms = at_ms, .said = said
	};
	struct verp token;

	ret->n = 0;
	m.ip = next_text(&envelope);
	m.sender = next_text(&envelope);
	while (envelope.n) {
		struct slice to = next_text(&envelope);
		if (token_of(&m, to, &token))
			about_one(&m, to, &token);
		else
			about_any(&m, to);
	}
	if (!ret->n)
		add(&m, of_mail(&m, LATE_OTHER, slice_of("", 0)), NULL);
	ret->at[ret->n - 1].last = true;
}
