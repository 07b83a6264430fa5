/* mta/tlsrpt/results.c - counting: domains, days, policies and kinds of failure. */
#include "mta/tlsrpt/results_int.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/random.h"
#include "spool/beside.h"

static const char *const names[RESULTS_KINDS] = {
	[RESULTS_SUCCESS] = "success",
	[RESULTS_STARTTLS] = "starttls-not-supported",
	[RESULTS_OTHER_NAME] = "certificate-host-mismatch",
	[RESULTS_EXPIRED] = "certificate-expired",
	[RESULTS_UNTRUSTED] = "certificate-not-trusted",
	[RESULTS_INVALID] = "validation-failure",
	[RESULTS_TLSA_INVALID] = "tlsa-invalid",
	[RESULTS_DNSSEC_INVALID] = "dnssec-invalid",
	[RESULTS_DANE_REQUIRED] = "dane-required",
	[RESULTS_STS_FETCH] = "sts-policy-fetch-error",
	[RESULTS_STS_INVALID] = "sts-policy-invalid",
	[RESULTS_STS_CERTIFICATE] = "sts-webpki-invalid",
};

const char *results_name(enum results_kind k)
{
	return names[k];
}

const char *results_policy_name(enum results_policy p)
{
	static const char *const policies[RESULTS_POLICIES] = {
		[RESULTS_NO_POLICY] = "no-policy-found",
		[RESULTS_STS] = "sts",
		[RESULTS_TLSA] = "tlsa",
	};

	return policies[p];
}

/* ---- domains and days -------------------------------------------------------------------- */

struct tally_domain *results_find(struct results *r, struct slice name)
{
	for (struct map_link *l = map_find(&r->map, hash_keyed(name)); l; l = map_find_next(l)) {
		struct tally_domain *d = container_of(l, struct tally_domain, link);
		if (slice_eq(slice_str(d->name), name))
			return d;
	}
	return NULL;
}

struct tally_domain *results_add(struct results *r, struct slice name)
{
	struct tally_domain *d = results_find(r, name);

	if (d || r->map.count >= RESULTS_DOMAINS_MAX)
		return d;
	d = must_alloc(sizeof(*d) + name.n + 1);
	(void)slice_copy(d->name, name.n + 1, name);
	map_insert(&r->map, &d->link, hash_keyed(name));
	list_push(&r->all, &d->all);
	return d;
}

struct tally *results_tally(int64_t day)
{
	struct tally *t = must_alloc(sizeof(*t));

	t->day = day;
	t->nonce = random_u64();
	list_init(&t->policies);
	return t;
}

static void drop_policy(struct results *r, struct tally_policy *p)
{
	struct list *l;

	while ((l = list_pop(&p->failures)) != NULL) {
		struct tally_failure *f = container_of(l, struct tally_failure, link);
		free(f->mx);
		free(f->reason);
		free(f);
		r->n_rows--;
	}
	list_remove(&p->link);
	free(p->text);
	free(p->mx);
	free(p);
}

struct tally *results_drop(struct results *r, struct tally *t)
{
	struct tally_policy *p;

	if (!t)
		return NULL;
	list_each(&t->policies, p, struct tally_policy, link)
		drop_policy(r, p);
	free(t);
	return NULL;
}

static void drop_domain(struct results *r, struct tally_domain *d)
{
	d->today = results_drop(r, d->today);
	d->due = results_drop(r, d->due);
	map_remove(&r->map, &d->link);
	list_remove(&d->all);
	free(d->told);
	free(d);
}

/* ---- policies and failures --------------------------------------------------------------- */

/* Beyond the limit: the first of its kind stands for the others; NULL: there is none. */
struct tally_policy *results_policy(struct tally *t, enum results_policy policy, struct slice text,
				    struct slice mx)
{
	struct tally_policy *p, *like = NULL;

	list_each(&t->policies, p, struct tally_policy, link) {
		if (p->policy != policy)
			continue;
		if (slice_eq(slice_str(p->text), text) && slice_eq(slice_str(p->mx), mx))
			return p;
		like = like ? like : p;
	}
	if (t->n_policies >= RESULTS_POLICIES_MAX)
		return like;
	p = must_alloc(sizeof(*p));
	p->policy = policy;
	p->text = must_copy(text);
	p->mx = must_copy(mx);
	list_init(&p->failures);
	list_push(&t->policies, &p->link);
	t->n_policies++;
	return p;
}

static bool is_same(const struct tally_failure *a, const struct tally_failure *b, struct slice mx,
		    struct slice reason)
{
	return a->kind == b->kind && strcmp(a->from, b->from) == 0 && strcmp(a->to, b->to) == 0 &&
	       slice_eq(slice_str(a->mx), mx) && slice_eq(slice_str(a->reason), reason);
}

static struct tally_failure *find_failure(struct tally_policy *p, const struct tally_failure *like,
					  struct slice mx, struct slice reason)
{
	struct tally_failure *f;

	list_each(&p->failures, f, struct tally_failure, link)
		if (is_same(f, like, mx, reason))
			return f;
	return NULL;
}

static void add_failure(struct results *r, struct tally_policy *p, const struct tally_failure *like,
			struct slice mx, struct slice reason)
{
	struct tally_failure *f = must_alloc(sizeof(*f));

	*f = *like;
	f->mx = must_copy(mx);
	f->reason = must_copy(reason);
	list_push(&p->failures, &f->link);
	p->n_failures++;
	r->n_rows++;
}

/* Where details have no room, one row of each kind counts without them. */
void results_count(struct results *r, struct tally_policy *p, const struct tally_failure *like,
		   struct slice mx, struct slice reason)
{
	const struct tally_failure plain = { .kind = like->kind, .n = like->n };
	const struct slice none = slice_of("", 0);
	struct tally_failure *f = find_failure(p, like, mx, reason);

	if (!f && (p->n_failures >= RESULTS_ROWS_MAX || r->n_rows >= RESULTS_ALL_ROWS_MAX)) {
		f = find_failure(p, &plain, none, none);
		like = &plain;
		mx = reason = none;
	}
	if (f)
		f->n += like->n;
	else
		add_failure(r, p, like, mx, reason);
}

/* ---- a session --------------------------------------------------------------------------- */

static void put_sts(const struct sts_policy *p, struct buf *text, struct buf *mx)
{
	buf_putf(text, "version: STSv1\nmode: %s\n", sts_mode_name(p->mode));
	for (unsigned i = 0; i < p->n_mx; i++) {
		buf_putf(text, "mx: %s\n", p->mx[i]);
		buf_putf(mx, "%s%s", i ? "\n" : "", p->mx[i]);
	}
	buf_putf(text, "max_age: %u", p->max_age_s);
}

static void put_tlsa(const struct policy_host *h, struct buf *text)
{
	for (unsigned i = 0; i < h->n_records; i++) {
		const struct tls_record *t = &h->records[i];
		buf_putf(text, "%s%u %u %u ", i ? "\n" : "", t->usage, t->selector, t->matching);
		for (unsigned k = 0; k < t->data_n; k++)
			buf_putf(text, "%02x", t->data[k]);
	}
}

static void put_policy(const struct results_session *s, struct buf *text, struct buf *mx)
{
	if (s->policy == RESULTS_TLSA)
		put_tlsa(&s->facts->hosts[s->host], text);
	else if (s->policy == RESULTS_STS && s->facts->sts_policy)
		put_sts(s->facts->sts_policy, text, mx);
}

static void count(struct results *r, struct tally_policy *p, const struct results_session *s)
{
	struct tally_failure like = { .kind = s->kind, .n = 1 };
	char reason[RESULTS_REASON_MAX];
	size_t n = slice_copy(reason, sizeof(reason), s->reason);

	r->dirty = true;
	if (s->kind == RESULTS_SUCCESS) {
		p->success++;
		return;
	}
	for (size_t i = 0; i < n; i++) /* it may have been said by a peer */
		if (reason[i] < ' ' || reason[i] > '~')
			reason[i] = '?';
	(void)slice_copy(like.from, sizeof(like.from), s->from);
	(void)slice_copy(like.to, sizeof(like.to), s->to);
	p->failure++;
	results_count(r, p, &like, slice_str(s->facts->route->hosts[s->host].name),
		      slice_of(reason, n));
}

static bool put_aside(struct results *r, struct tally_domain *d, int64_t day, int64_t now_ms);

/* A clock that was set back counts on in the day that has begun. */
static struct tally *today_of(struct results *r, struct slice domain, int64_t now_ms)
{
	struct tally_domain *d = results_add(r, domain);

	if (!d)
		return NULL;
	(void)put_aside(r, d, now_ms / DAY_MS, now_ms);
	if (!d->today)
		d->today = results_tally(now_ms / DAY_MS);
	return d->today;
}

bool results_note(struct results *r, const struct results_session *s, int64_t now_ms)
{
	struct buf text = { 0 }, mx = { 0 };
	struct tally_policy *p = NULL;
	struct tally *t;

	put_policy(s, &text, &mx);
	pthread_mutex_lock(&r->lock);
	t = today_of(r, slice_str(s->facts->route->domain), now_ms);
	if (t)
		p = results_policy(t, s->policy, buf_data(&text), buf_data(&mx));
	if (p)
		count(r, p, s);
	pthread_mutex_unlock(&r->lock);
	buf_free(&text);
	buf_free(&mx);
	return p != NULL;
}

/* ---- days that are over ------------------------------------------------------------------ */

/* True: a report that waited was dropped for it. */
static bool put_aside(struct results *r, struct tally_domain *d, int64_t day, int64_t now_ms)
{
	struct tally *t = d->today;
	bool lost = d->due && !d->due->in_hand;

	if (!t || t->day >= day || (d->due && d->due->in_hand))
		return false;
	d->due = results_drop(r, d->due);
	d->due = TAKE(d->today);
	/* Not at once: the file has it then, with the number that its report will have. */
	t->next_ms = MAX_OF((t->day + 1) * DAY_MS, now_ms) + 2 * RESULTS_SAVE_MS;
	t->next_ms +=
	    random_jitter(now_ms - (t->day + 1) * DAY_MS < RESULTS_SPREAD_MS ? RESULTS_SPREAD_MS
									     : RESULTS_AGAIN_MS);
	r->dirty = true;
	return lost;
}

enum { REMEMBERED_DAYS = 7 };

static bool is_forgotten(const struct tally_domain *d, int64_t day)
{
	return !d->today && !d->due && d->told_day < day - REMEMBERED_DAYS;
}

unsigned results_roll(struct results *r, int64_t now_ms)
{
	int64_t day = now_ms / DAY_MS;
	struct tally_domain *d;
	unsigned lost = 0;

	pthread_mutex_lock(&r->lock);
	list_each(&r->all, d, struct tally_domain, all) {
		lost += put_aside(r, d, day, now_ms);
		if (is_forgotten(d, day))
			drop_domain(r, d);
	}
	pthread_mutex_unlock(&r->lock);
	return lost;
}

bool results_due(struct results *r, int64_t now_ms, char *ret)
{
	struct tally_domain *d;
	bool found = false;

	pthread_mutex_lock(&r->lock);
	list_each(&r->all, d, struct tally_domain, all) {
		if (!d->due || d->due->in_hand || d->due->next_ms > now_ms)
			continue;
		d->due->in_hand = found = true;
		(void)slice_copy(ret, DNS_NAME_MAX, slice_str(d->name));
		break;
	}
	pthread_mutex_unlock(&r->lock);
	return found;
}

/* Section 5.5: again for a day from the first try on, at growing distances.  True: that is over. */
static bool later(struct results *r, struct tally_domain *d, int64_t now_ms)
{
	struct tally *t = d->due;
	int64_t pause = (int64_t)RESULTS_AGAIN_MS << MIN_OF(t->tries, 6u);

	t->tries++;
	t->in_hand = false;
	t->next_ms = now_ms + pause;
	if (t->next_ms <= (t->day + 1) * DAY_MS + RESULTS_SPREAD_MS + RESULTS_LIFE_MS)
		return false;
	d->due = results_drop(r, t);
	return true;
}

bool results_over(struct results *r, const char *domain, bool done, int64_t now_ms)
{
	struct tally_domain *d;
	bool lost = false;

	pthread_mutex_lock(&r->lock);
	d = results_find(r, slice_str(domain));
	if (d && d->due && done)
		d->due = results_drop(r, d->due);
	else if (d && d->due)
		lost = later(r, d, now_ms);
	r->dirty = true;
	pthread_mutex_unlock(&r->lock);
	return lost;
}

/* ---- where reports went ------------------------------------------------------------------ */

struct tally_told *results_told_row(struct tally_domain *d, const char *where)
{
	struct tally_told *row;

	if (!d->told)
		d->told = must_alloc(REPORTING_URIS_MAX * sizeof(*d->told));
	for (unsigned i = 0; i < d->n_told; i++)
		if (strcmp(d->told[i].where, where) == 0)
			return &d->told[i];
	if (d->n_told == REPORTING_URIS_MAX) /* the record has others now */
		memmove(d->told, d->told + 1, --d->n_told * sizeof(*d->told));
	row = &d->told[d->n_told++];
	*row = (struct tally_told){ 0 };
	(void)slice_copy(row->where, sizeof(row->where), slice_str(where));
	return row;
}

void results_tell(struct results *r, const char *domain, const char *where, const char *what,
		  bool done, int64_t now_ms)
{
	struct tally_domain *d;
	struct tally_told *row;

	pthread_mutex_lock(&r->lock);
	d = results_find(r, slice_str(domain));
	if (d && d->due) {
		if (d->told_day != d->due->day)
			d->n_told = 0;
		d->told_day = d->due->day;
		row = results_told_row(d, where);
		(void)slice_copy(row->what, sizeof(row->what), slice_str(what));
		row->done = done;
		row->at_ms = now_ms;
		r->dirty = true;
	}
	pthread_mutex_unlock(&r->lock);
}

bool results_told(struct results *r, const char *domain, const char *where)
{
	struct tally_domain *d;
	bool done = false;

	pthread_mutex_lock(&r->lock);
	d = results_find(r, slice_str(domain));
	if (d && d->due && d->told_day == d->due->day)
		for (unsigned i = 0; i < d->n_told; i++)
			done = done || (d->told[i].done && strcmp(d->told[i].where, where) == 0);
	pthread_mutex_unlock(&r->lock);
	return done;
}

/* ---- life -------------------------------------------------------------------------------- */

enum { FILE_MAX = 64 << 20 };

int results_save(struct results *r)
{
	struct buf out = { 0 };
	bool dirty;
	int e;

	pthread_mutex_lock(&r->lock);
	dirty = r->dirty;
	r->dirty = false;
	if (dirty)
		results_write(r, &out);
	pthread_mutex_unlock(&r->lock);
	e = dirty ? beside_write(r->disk, r->dirfd, RESULTS_FILE, buf_data(&out)) : 0;
	buf_free(&out);
	if (e < 0) {
		pthread_mutex_lock(&r->lock);
		r->dirty = true;
		pthread_mutex_unlock(&r->lock);
	}
	return e < 0 ? e : 0;
}

struct results *results_new(const struct disk *disk, int dirfd)
{
	struct results *r = must_alloc(sizeof(*r));
	struct buf text = { 0 };
	int e;

	pthread_mutex_init(&r->lock, NULL);
	map_init(&r->map);
	list_init(&r->all);
	r->disk = disk;
	r->dirfd = dirfd;
	e = beside_read(disk, dirfd, RESULTS_FILE, FILE_MAX, &text);
	if (e == 0)
		results_read(r, buf_data(&text));
	else
		r->lost = e != -ENOENT;
	buf_free(&text);
	return r;
}

bool results_lost(const struct results *r)
{
	return r->lost;
}

struct results *results_free(struct results *r)
{
	struct tally_domain *d;

	if (!r)
		return NULL;
	list_each(&r->all, d, struct tally_domain, all)
		drop_domain(r, d);
	map_free(&r->map);
	pthread_mutex_destroy(&r->lock);
	free(r);
	return NULL;
}
