/* spool/format.c - structs to the bytes of the log and back. */
#include "spool/format.h"

#include "base/hash.h"

void segment_header_seal(struct segment_header *h)
{
	h->crc = hash_crc32c(0, h, offsetof(struct segment_header, crc));
}

int segment_header_check(const struct segment_header *h)
{
	if (h->magic != SEGMENT_MAGIC ||
	    h->crc != hash_crc32c(0, h, offsetof(struct segment_header, crc)))
		return E_CORRUPT;
	return h->version == FORMAT_VERSION && h->length == SEGMENT_HEADER ? 0 : E_VERSION;
}

uint64_t record_salt(struct id128 spool)
{
	return hash_mix(spool.hi ^ hash_mix(spool.lo));
}

static uint32_t seal_crc(const struct record_header *h, uint32_t payload_crc)
{
	return hash_crc32c(payload_crc, (const char *)h + sizeof(h->crc),
			   sizeof(*h) - sizeof(h->crc));
}

void record_seal(struct record_header *h, uint32_t payload_crc, lsn_t lsn, uint64_t salt)
{
	h->magic = RECORD_MAGIC;
	h->lsn = lsn ^ salt;
	h->crc = seal_crc(h, payload_crc);
}

int record_parse(const char *p, size_t n, lsn_t lsn, uint64_t salt, struct record *ret,
		 size_t *ret_need)
{
	struct record_header h;

	*ret_need = RECORD_HEADER;
	if (n < RECORD_HEADER)
		return 0;
	memcpy(&h, p, sizeof(h));
	if (h.magic != RECORD_MAGIC || h.lsn != (lsn ^ salt) || h.length > PAYLOAD_MAX ||
	    h.batch_back > lsn)
		return E_CORRUPT;
	*ret_need = record_size(h.length);
	if (n < *ret_need)
		return 0;
	if (h.crc != seal_crc(&h, hash_crc32c(0, p + RECORD_HEADER, h.length)))
		return E_CORRUPT;
	*ret = (struct record){
		lsn,     lsn + record_size(h.length),          lsn - h.batch_back, h.type,
		h.flags, slice_of(p + RECORD_HEADER, h.length)
	};
	return 1;
}

int record_decode_content(struct slice payload, struct content_fixed *f, struct slice *meta,
			  struct slice *bytes)
{
	if (payload.n < sizeof(*f))
		return E_CORRUPT;
	memcpy(f, payload.p, sizeof(*f));
	if ((uint64_t)f->meta_len + f->bytes_len != payload.n - sizeof(*f))
		return E_CORRUPT;
	*meta = slice_of(payload.p + sizeof(*f), f->meta_len);
	*bytes = slice_of(meta->p + f->meta_len, f->bytes_len);
	return 0;
}

static int copy_state_decode(struct slice rest, struct job_view *ret)
{
	uint32_t n;
	size_t bitmap = (ret->f.rows + 7) / 8;

	if (rest.n < sizeof(n) + bitmap)
		return E_CORRUPT;
	memcpy(&n, rest.p, sizeof(n));
	ret->bitmap = slice_of(rest.p + sizeof(n), bitmap);
	ret->deferred = slice_of(ret->bitmap.p + bitmap, rest.n - sizeof(n) - bitmap);
	if (n > ret->f.rows || ret->deferred.n != n * sizeof(struct deferred_row))
		return E_CORRUPT;
	return 0;
}

int record_decode_job(const struct record *rec, struct job_view *ret)
{
	struct job_fixed *f = &ret->f;
	size_t rest;

	memset(ret, 0, sizeof(*ret));
	if (rec->payload.n < sizeof(*f))
		return E_CORRUPT;
	memcpy(f, rec->payload.p, sizeof(*f));
	rest = rec->payload.n - sizeof(*f);
	if (!f->rows || f->rows > ROWS_MAX || f->raw_len > CONTENT_MAX || f->packed > 1 ||
	    (uint64_t)f->meta_len + f->data_len > rest)
		return E_CORRUPT;
	ret->meta = slice_of(rec->payload.p + sizeof(*f), f->meta_len);
	ret->data = slice_of(ret->meta.p + f->meta_len, f->data_len);
	rest -= (size_t)f->meta_len + f->data_len;
	if (rec->flags & RECORD_COPY)
		return copy_state_decode(slice_of(ret->data.p + f->data_len, rest), ret);
	return rest ? E_CORRUPT : 0;
}

static char *put_number(char *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (char)(v | 0x80);
	*p++ = (char)v;
	return p;
}

static int get_number(struct slice *in, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64 && in->n; shift += 7) {
		uint64_t c = (unsigned char)*in->p;
		*in = slice_skip(*in, 1);
		if (shift == 63 && c > 1)
			return E_CORRUPT;
		v |= (c & 0x7f) << shift;
		if (c & 0x80)
			continue;
		if (v > max || (shift && !c))
			return E_CORRUPT; /* one number has one spelling */
		*ret = v;
		return 0;
	}
	return E_CORRUPT;
}

/* The order of numbers in an outcome record, after the job's id. */
enum {
	N_KIND,
	N_ROW,
	N_TENANT,
	N_CAMPAIGN,
	N_ATTEMPT,
	N_CODE,
	N_CLASS,
	N_SUBJECT,
	N_DETAIL,
	N_FLAGS,
	N_AT,
	N_NEXT,
	N_TEXT,
	N_HOST,
	N_IP,
	N_SOURCE,
	N_RCPT,
	NUMBERS
};
static const uint64_t number_max[NUMBERS] = { OUTCOME_DEFERRED, ROWS_MAX,   UINT64_MAX, UINT64_MAX,
					      UINT16_MAX,       UINT16_MAX, UINT16_MAX, UINT16_MAX,
					      UINT16_MAX,       UINT16_MAX, UINT64_MAX, UINT64_MAX,
					      TEXT_MAX,         HOST_MAX,   PEER_MAX,   PEER_MAX,
					      RCPT_MAX };

/* After the texts come words, each with its length: class and rule when the reply was judged, the
 * four of how it travelled when there was a session, and how long it took.  Logs of older programs
 * lack them. */
enum { MEANING_WORDS = 2, TRAVEL_WORDS = 6, OUTCOME_WORDS = 7 };
enum { TOOK_NUMBERS = 4, TOOK_MAX = TOOK_NUMBERS * 5 };

static unsigned words_of(const struct outcome *o)
{
	return o->took.known ? OUTCOME_WORDS
	       : o->policy.n ? TRAVEL_WORDS
	       : o->class.n  ? MEANING_WORDS
			     : 0;
}

static struct slice put_took(const struct outcome_took *t, char buf[static TOOK_MAX])
{
	char *p = put_number(buf, t->dns_ms);

	p = put_number(p, t->connect_ms);
	p = put_number(p, t->tls_ms);
	p = put_number(p, t->transaction_ms);
	return slice_of(buf, (size_t)(p - buf));
}

static int get_took(struct slice in, struct outcome_took *ret)
{
	uint64_t v[TOOK_NUMBERS];

	for (size_t i = 0; i < TOOK_NUMBERS; i++)
		if (get_number(&in, UINT32_MAX, &v[i]) < 0)
			return E_CORRUPT;
	*ret = (struct outcome_took){ .known = true,
				      .dns_ms = (uint32_t)v[0],
				      .connect_ms = (uint32_t)v[1],
				      .tls_ms = (uint32_t)v[2],
				      .transaction_ms = (uint32_t)v[3] };
	return in.n ? E_CORRUPT : 0;
}

static char *put_words(char *p, const struct outcome *o)
{
	char took[TOOK_MAX];
	const struct slice words[OUTCOME_WORDS] = {
		o->class, o->rule, o->tls, o->cipher, o->policy, o->proof, put_took(&o->took, took)
	};

	for (unsigned i = 0; i < words_of(o); i++) {
		size_t n = MIN_OF(words[i].n, (size_t)WORD_MAX);
		*p++ = (char)n;
		if (n)
			memcpy(p, words[i].p, n);
		p += n;
	}
	return p;
}

/* As many as put_words() writes for these words, and no rule without a class: one outcome has one
 * spelling. */
static int get_words(struct slice in, struct outcome *o)
{
	struct slice took = SLICE("");
	struct slice *words[OUTCOME_WORDS] = { &o->class,  &o->rule,  &o->tls, &o->cipher,
					       &o->policy, &o->proof, &took };
	unsigned got = 0;

	while (in.n && got < ARRAY_LEN(words)) {
		size_t n = (unsigned char)in.p[0];
		if (n > WORD_MAX || n + 1 > in.n)
			return E_CORRUPT;
		*words[got++] = slice_of(in.p + 1, n);
		in = slice_skip(in, n + 1);
	}
	if (got == OUTCOME_WORDS && get_took(took, &o->took) < 0)
		return E_CORRUPT;
	return in.n || got != words_of(o) || (o->rule.n && !o->class.n) ? E_CORRUPT : 0;
}

size_t record_encode_outcome(char *buf, struct id128 job, uint64_t tenant, uint64_t campaign,
			     const struct outcome *o)
{
	const struct slice text[] = { o->text, o->host, o->ip, o->source, o->rcpt };
	uint64_t v[NUMBERS] = { o->kind,
				o->row,
				tenant,
				campaign,
				o->attempt,
				o->code,
				o->status.class,
				o->status.subject,
				o->status.detail,
				o->flags,
				(uint64_t)o->at_ms,
				(uint64_t)o->next_ms };
	char *p = buf;

	memcpy(p, &job, sizeof(job));
	p += sizeof(job);
	for (size_t i = 0; i < ARRAY_LEN(text); i++)
		v[N_TEXT + i] = MIN_OF(text[i].n, number_max[N_TEXT + i]);
	for (size_t i = 0; i < NUMBERS; i++)
		p = put_number(p, v[i]);
	for (size_t i = 0; i < ARRAY_LEN(text); i++) {
		if (v[N_TEXT + i])
			memcpy(p, text[i].p, v[N_TEXT + i]);
		p += v[N_TEXT + i];
	}
	return (size_t)(put_words(p, o) - buf);
}

int record_decode_outcome(struct slice in, struct outcome_view *ret)
{
	struct outcome *o = &ret->o;
	struct slice *text[] = { &o->text, &o->host, &o->ip, &o->source, &o->rcpt };
	uint64_t v[NUMBERS], sum = 0;

	if (in.n < sizeof(ret->job))
		return E_CORRUPT;
	memcpy(&ret->job, in.p, sizeof(ret->job));
	in = slice_skip(in, sizeof(ret->job));
	for (size_t i = 0; i < NUMBERS; i++)
		if (get_number(&in, number_max[i], &v[i]) < 0)
			return E_CORRUPT;
	for (size_t i = N_TEXT; i < NUMBERS; i++)
		sum += v[i];
	if (sum > in.n || v[N_KIND] < OUTCOME_DELIVERED)
		return E_CORRUPT;
	ret->tenant = v[N_TENANT];
	ret->campaign = v[N_CAMPAIGN];
	*o = (struct outcome){ .row = (uint32_t)v[N_ROW],
			       .kind = (enum outcome_kind)v[N_KIND],
			       .attempt = (uint16_t)v[N_ATTEMPT],
			       .code = (uint16_t)v[N_CODE],
			       .status = STATUS((uint16_t)v[N_CLASS], (uint16_t)v[N_SUBJECT],
						(uint16_t)v[N_DETAIL]),
			       .at_ms = (int64_t)v[N_AT],
			       .next_ms = (int64_t)v[N_NEXT],
			       .flags = (uint16_t)v[N_FLAGS] };
	for (size_t i = 0; i < ARRAY_LEN(text); i++) {
		*text[i] = slice_of(in.p, v[N_TEXT + i]);
		in = slice_skip(in, v[N_TEXT + i]);
	}
	return get_words(in, o);
}

/* rule = key length u32, key, value */
int record_decode_rule(struct slice in, struct slice *key, struct slice *value)
{
	uint32_t n;

	if (in.n < sizeof(n))
		return E_CORRUPT;
	memcpy(&n, in.p, sizeof(n));
	if (n > RULE_KEY_MAX || n > in.n - sizeof(n) || in.n - sizeof(n) - n > RULE_VALUE_MAX)
		return E_CORRUPT;
	in = slice_skip(in, sizeof(n));
	*key = slice_of(in.p, n);
	*value = slice_skip(in, n);
	return 0;
}

/* consumer = cursor u64, name; a cursor of all ones ends it */
int record_decode_consumer(struct slice in, struct slice *name, lsn_t *cursor)
{
	if (in.n <= sizeof(*cursor) || in.n > sizeof(*cursor) + CONSUMER_NAME_MAX)
		return E_CORRUPT;
	memcpy(cursor, in.p, sizeof(*cursor));
	*name = slice_skip(in, sizeof(*cursor));
	return 0;
}
