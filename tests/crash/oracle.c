/* tests/crash/oracle.c - what a spool promised, and whether it keeps to it. */
#include "tests/crash/oracle.h"

#include <stdio.h>

#include "base/hash.h"

struct id128 oracle_job_id(uint64_t n)
{
	return (struct id128){ 1, n };
}

struct id128 oracle_content_id(uint64_t n)
{
	return (struct id128){ 2, n };
}

struct slice oracle_bytes(uint64_t n, char *buf, size_t cap)
{
	size_t len = 40 + n * 37 % (cap - 40);

	for (size_t i = 0; i < len; i++)
		buf[i] = (char)(n * 31 + i * (2 * n + 1) + (i >> 4));
	return slice_of(buf, len);
}

char *oracle_rule_key(unsigned n, char *buf)
{
	(void)snprintf(buf, 16, "hold/%u", n);
	return buf;
}

struct slice oracle_rule_value(uint64_t v, char *buf)
{
	if (!v)
		return SLICE("");
	(void)snprintf(buf, 32, "value %llu", (unsigned long long)v);
	return slice_str(buf);
}

static bool same_bytes(struct buf *got, uint64_t n)
{
	char want[512];
	bool same = slice_eq(buf_data(got), oracle_bytes(n, want, sizeof(want)));

	buf_clear(got);
	return same;
}

/* I2, I14: a job is there with all its rows and exactly the bytes of its content. */
static const char *check_whole(const struct oracle_job *j, uint64_t n, struct spool *sp, job_no no)
{
	struct buf got = { .max = 0 };
	struct job_info info;
	const char *wrong = NULL;

	if (spool_job_info(sp, no, &info) < 0 || info.rows != j->rows)
		wrong = "I2: a job lost rows";
	else if (spool_read_job(sp, no, NULL, &got) < 0 || !same_bytes(&got, n))
		wrong = "I2: the rows of a job are not what was put";
	else if (spool_read_content(sp, oracle_content_id(j->content), NULL, &got) < 0 ||
		 !same_bytes(&got, j->content + 5000))
		wrong = "I14: the content of a live job is not what was put";
	buf_free(&got);
	return wrong;
}

/* I8: at least the last durable deferral, or one asked for later. */
static const char *check_deferral(const struct oracle *o, const struct oracle_row *row,
				  uint16_t attempts, int64_t next_ms)
{
	bool acked = false, match = attempts == 0 && next_ms == 0;

	for (unsigned i = 0; i < row->n_deferred; i++) {
		if (row->deferred[i].at <= o->durable) {
			acked = true;
			match = false;
		}
		match |=
		    row->deferred[i].attempt == attempts && row->deferred[i].next_ms == next_ms;
	}
	if (match)
		return NULL;
	return acked ? "I8: a durable deferral was forgotten" : "I8: a deferral nobody asked for";
}

/* I1, I3, I4 for every row. */
static const char *check_rows(const struct oracle *o, const struct oracle_job *j, struct spool *sp,
			      job_no no, bool found)
{
	uint16_t attempts;
	int64_t next_ms;
	const char *wrong = NULL;

	for (uint32_t i = 0; i < j->rows && !wrong; i++) {
		const struct oracle_row *row = &j->row[i];
		bool live = found && spool_row_live(sp, no, i, &attempts, &next_ms);
		if (!live && !row->ended_at && (found || j->at <= o->durable))
			wrong = "I1: a row that nobody ended is not live";
		else if (live && row->ended_at && row->ended_at <= o->durable)
			wrong = "I4: a row with a durable end is live again";
		else if (live)
			wrong = check_deferral(o, row, attempts, next_ms);
	}
	return wrong;
}

/* I2: a content that came with a job is missing when the job is. */
static const char *check_absent(const struct oracle *o, unsigned n, struct spool *sp)
{
	struct buf got = { .max = 0 };
	bool alone = o->job[n].content == n && !o->job[n].row[0].ended_at;
	const char *wrong = NULL;

	for (unsigned k = n + 1; k < o->n_jobs; k++)
		alone &= o->job[k].content != n;
	if (alone && spool_read_content(sp, oracle_content_id(n), NULL, &got) >= 0)
		wrong = "I2: a content is here without the job it came with";
	buf_free(&got);
	return wrong;
}

struct id128 oracle_mail_id(uint64_t n)
{
	return (struct id128){ 4, n + 1 };
}

unsigned oracle_facts(uint64_t n)
{
	return 1 + (unsigned)(n % ORACLE_FACTS);
}

struct late_fact oracle_fact(uint64_t n, unsigned seq)
{
	return (struct late_fact){ .mail = oracle_mail_id(n),
				   .seq = seq,
				   .last = seq + 1 == oracle_facts(n),
				   .kind = LATE_DSN + (unsigned)(n + seq) % LATE_KINDS,
				   .key = hash_mix(n * 10 + seq + 1),
				   .job = oracle_job_id(n % ORACLE_JOBS),
				   .evidence = SLICE("so it came back") };
}

/* A durable mail is there with its bytes until its last fact is; then it never comes again. */
static const char *check_mails(const struct oracle *o, struct spool *sp)
{
	struct buf got = { .max = 0 };
	const char *wrong = NULL;
	int64_t at_ms;

	for (unsigned n = 0; n < o->n_mails && !wrong; n++) {
		const struct oracle_mail *m = &o->mail[n];
		bool whole = m->told == oracle_facts(n);
		bool found = spool_read_late_mail(sp, oracle_mail_id(n), &at_ms, NULL, &got) >= 0;
		if (found && !same_bytes(&got, n + 9000))
			wrong = "I17: mail that came back is not what was put";
		else if (!found && !whole && m->at <= o->durable)
			wrong = "I17: durable mail was forgotten before it was read";
		else if (found && whole && m->fact[m->told - 1] <= o->durable)
			wrong = "I17: mail is owed again after its last durable fact";
	}
	buf_free(&got);
	return wrong;
}

static uint64_t facts_in_books(const struct books *b)
{
	return b->returned + b->returned_delays + b->returned_complaints +
	       b->returned_auto_replies + b->returned_unsubscribes + b->returned_dmarc +
	       b->returned_tlsrpt + b->returned_other;
}

/* The mails came in the order of their numbers, so those that are left are the first ones. */
const char *oracle_read_again(struct spool *sp)
{
	uint64_t facts = 0;
	struct books b;

	for (unsigned n = 0; n < ORACLE_MAILS; n++)
		for (unsigned i = 0; i < oracle_facts(n); i++) {
			struct late_fact f = oracle_fact(n, i);
			int r = spool_put_late(sp, &f, 1, NULL);
			if (r < 0 && r != E_UNKNOWN)
				return "what came back cannot be recorded";
		}
	spool_books(sp, &b);
	for (unsigned n = 0; n < b.returned_mails; n++)
		facts += oracle_facts(n);
	if (b.returned_waiting || b.returned_again || facts_in_books(&b) != facts)
		return "I17: a fact was lost, or counted twice";
	return NULL;
}

static const char *check_jobs(const struct oracle *o, struct spool *sp)
{
	const char *wrong = NULL;

	for (unsigned n = 0; n < o->n_jobs && !wrong; n++) {
		job_no no = 0;
		bool found = spool_find_job(sp, oracle_job_id(n), &no) >= 0;
		if (found)
			wrong = check_whole(&o->job[n], n, sp, no);
		else
			wrong = check_absent(o, n, sp);
		if (!wrong)
			wrong = check_rows(o, &o->job[n], sp, no, found);
	}
	return wrong;
}

/* The present value is the last durable one or a later one.  v: what the spool says. */
static bool may_be(const struct oracle *o, const struct oracle_value *values, unsigned n,
		   uint64_t v)
{
	bool match = v == 0;

	for (unsigned i = 0; i < n; i++)
		match = (values[i].at <= o->durable ? false : match) || values[i].v == v;
	return match;
}

static int take_rule(void *arg, struct slice key, struct slice value)
{
	uint64_t *found = arg, v;

	if (key.n == 6 && key.p[5] >= '0' && key.p[5] < '0' + ORACLE_RULES && value.n > 6 &&
	    slice_u64(slice_skip(value, 6), 1000, &v) >= 0)
		found[key.p[5] - '0'] = v;
	return 0;
}

static const char *check_rules(const struct oracle *o, struct spool *sp)
{
	uint64_t found[ORACLE_RULES] = { 0 };

	if (spool_each_rule(sp, SLICE("hold/"), take_rule, found) < 0)
		return "rules cannot be read";
	for (unsigned n = 0; n < ORACLE_RULES; n++)
		if (!may_be(o, o->rule[n], o->n_rule[n], found[n]))
			return "I1: a durable rule was forgotten";
	return NULL;
}

struct seen {
	const struct oracle *o;
	lsn_t at[4096];
	unsigned n;
};

static int take_event(void *arg, const struct event *e)
{
	struct seen *s = arg;

	assert(s->n < ARRAY_LEN(s->at));
	s->at[s->n++] = e->lsn;
	return 0;
}

static bool was_seen(const struct seen *s, lsn_t at)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->n; i++)
		n += s->at[i] == at;
	return n == 1;
}

/* I12: from the consumer's cursor on, every durable fact is an event, once. */
static const char *check_events(const struct oracle *o, struct spool *sp)
{
	struct seen s = { .o = o };
	lsn_t from = 0, next;
	uint64_t cursor = spool_consumer_get(sp, SLICE("reader"), &from) < 0 ? 0 : from;

	if (!may_be(o, o->cursor, o->n_cursor, cursor))
		return "a durable cursor was forgotten";
	if (!cursor && !o->n_cursor)
		return NULL;
	if (spool_events(sp, from, 4000, take_event, &s, &next) < 0)
		return o->cursor[0].at <= o->durable ? "I12: events after a cursor are gone" : NULL;
	for (unsigned n = 0; n < o->n_mails; n++)
		for (unsigned i = 0; i < o->mail[n].told; i++)
			if (o->mail[n].fact[i] > from && o->mail[n].fact[i] <= o->durable &&
			    !was_seen(&s, o->mail[n].fact[i]))
				return "I12: a durable fact is not one event";
	for (unsigned n = 0; n < o->n_jobs; n++) {
		const struct oracle_job *j = &o->job[n];
		if (j->at > from && j->at <= o->durable && !was_seen(&s, j->at))
			return "I12: a durable acceptance is not one event";
		for (uint32_t i = 0; i < j->rows; i++)
			if (j->row[i].ended_at > from && j->row[i].ended_at <= o->durable &&
			    !was_seen(&s, j->row[i].ended_at))
				return "I12: a durable end is not one event";
	}
	return NULL;
}

/* I11 */
static const char *check_books(struct spool *sp)
{
	struct books b;

	spool_books(sp, &b);
	if (b.accepted != b.delivered + b.bounced + b.expired + b.cancelled + b.queued)
		return "I11: the books do not balance";
	return NULL;
}

const char *oracle_check(const struct oracle *o, struct spool *sp)
{
	const char *wrong = check_jobs(o, sp);

	wrong = wrong ? wrong : check_mails(o, sp);
	wrong = wrong ? wrong : check_rules(o, sp);
	wrong = wrong ? wrong : check_events(o, sp);
	return wrong ? wrong : check_books(sp);
}

static int mix_rule(void *arg, struct slice key, struct slice value)
{
	*(uint64_t *)arg += hash_mix(hash_stable(key) ^ hash_stable(value) * 3);
	return 0;
}

uint64_t oracle_digest(struct spool *sp)
{
	uint64_t cursor = 0, d = 0;
	struct job_info info;
	uint16_t attempts;
	int64_t next_ms;
	struct books b;
	job_no no;

	while (spool_next_job(sp, &cursor, &no) >= 0) {
		if (spool_job_info(sp, no, &info) < 0)
			continue;
		for (uint32_t i = 0; i < info.rows; i++)
			if (spool_row_live(sp, no, i, &attempts, &next_ms))
				d += hash_mix(info.id.lo * 1000 + i) ^
				     hash_mix((uint64_t)next_ms * 70000 + attempts);
	}
	(void)spool_each_rule(sp, SLICE(""), mix_rule, &d);
	spool_books(sp, &b);
	return d ^ hash_mix(b.accepted) ^ hash_mix(b.delivered * 3) ^ hash_mix(b.bounced * 5) ^
	       hash_mix(b.deferred_attempts * 7) ^ hash_mix(facts_in_books(&b) * 11) ^
	       hash_mix(b.returned_mails * 13) ^ hash_mix(b.returned_waiting * 17);
}
