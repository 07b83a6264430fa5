/* mta/queue/fair.c - classes, tenants and campaigns take turns. */
#include "mta/queue/fair.h"

#include "base/hash.h"

/* Transactional mail has one recipient per message: nothing is shared, so turns are short. */
static const unsigned bursts[FAIR_CLASSES] = {
	[CLASS_BULK] = FAIR_BURST_BULK,
	[CLASS_TRANSACTIONAL] = 1,
};

void fair_init(struct fair *f, const struct slab *slab)
{
	*f = (struct fair){ .slab = slab };
	for (unsigned i = 0; i < FAIR_CLASSES; i++)
		list_init(&f->rings[i]);
	list_init(&f->parked);
	list_init(&f->shut);
	list_init(&f->gated);
	list_init(&f->engaged);
	list_init(&f->spare_lines);
	list_init(&f->spare_shares);
	map_init(&f->lines);
	map_init(&f->shares);
}

void fair_end(struct fair *f)
{
	struct map_link *m;
	struct list *l;
	size_t pos;

	for (pos = 0; (m = map_next(&f->lines, &pos, NULL)); pos = 0) {
		map_remove(&f->lines, m);
		free(container_of(m, struct line, link));
	}
	for (pos = 0; (m = map_next(&f->shares, &pos, NULL)); pos = 0) {
		map_remove(&f->shares, m);
		list_remove(&container_of(m, struct share, link)->gate);
		free(container_of(m, struct share, link));
	}
	while ((l = list_pop(&f->spare_lines)) != NULL)
		free(container_of(l, struct line, ring));
	while ((l = list_pop(&f->spare_shares)) != NULL)
		free(container_of(l, struct share, ring));
	map_free(&f->lines);
	map_free(&f->shares);
}

/* ---- shares of tenants ------------------------------------------------------------------- */

static uint8_t class_of(const struct flow *flow)
{
	return flow->class == CLASS_TRANSACTIONAL ? CLASS_TRANSACTIONAL : CLASS_BULK;
}

static uint64_t hash_of_share(const struct flow *flow)
{
	return hash_mix(flow->tenant * FAIR_CLASSES + class_of(flow));
}

static struct share *share_find(const struct fair *f, const struct flow *flow)
{
	for (struct map_link *l = map_find(&f->shares, hash_of_share(flow)); l;
	     l = map_find_next(l)) {
		struct share *s = container_of(l, struct share, link);
		if (s->tenant == flow->tenant && s->class == class_of(flow))
			return s;
	}
	return NULL;
}

static struct share *share_get(struct fair *f, const struct flow *flow)
{
	uint8_t class = class_of(flow);
	struct share *s = share_find(f, flow);
	struct list *spare;

	if (s)
		return s;
	spare = list_pop(&f->spare_shares);
	s = spare ? container_of(spare, struct share, ring) : must_alloc(sizeof(*s));
	*s = (struct share){ .tenant = flow->tenant, .class = class, .fair = f };
	list_init(&s->gate);
	list_init(&s->lines);
	list_init(&s->ring);
	list_push(&f->rings[class], &s->ring);
	map_insert(&f->shares, &s->link, hash_of_share(flow));
	return s;
}

/* So many of it became ready, or cease to be. */
static void count_ready(struct fair *f, const struct share *s, uint32_t more, uint32_t less)
{
	if (!s->shut_until_ms)
		f->ready[s->class] += more - less;
}

static void line_join(struct fair *f, struct line *line)
{
	line->share = share_get(f, line->flow);
	line->burst = 0;
	list_push(&line->share->lines, &line->ring);
	if (line->flow->engaged)
		list_push(&f->engaged, &line->engaged);
	count_ready(f, line->share, line->fifo.count, 0);
}

static void line_leave(struct fair *f, struct line *line)
{
	struct share *s = line->share;

	line->share = NULL;
	list_remove(&line->ring);
	list_remove(&line->engaged);
	count_ready(f, s, 0, line->fifo.count);
	if (!list_empty(&s->lines))
		return;
	map_remove(&f->shares, &s->link);
	list_remove(&s->gate);
	list_remove(&s->ring);
	list_push_front(&f->spare_shares, &s->ring);
}

/* ---- lines of flows ---------------------------------------------------------------------- */

static struct line *line_get(struct fair *f, struct flow *flow)
{
	uint64_t hash = hash_mix(flow->index);
	struct list *spare;
	struct line *line;

	for (struct map_link *l = map_find(&f->lines, hash); l; l = map_find_next(l)) {
		line = container_of(l, struct line, link);
		if (line->flow == flow)
			return line;
	}
	spare = list_pop(&f->spare_lines);
	line = spare ? container_of(spare, struct line, ring) : must_alloc(sizeof(*line));
	*line = (struct line){ .flow = flow };
	fifo_init(&line->fifo);
	list_init(&line->ring);
	list_init(&line->engaged);
	map_insert(&f->lines, &line->link, hash);
	if (flow->held)
		list_push(&f->parked, &line->ring);
	else
		line_join(f, line);
	return line;
}

/* An empty line is no longer needed: its flow may end before the next recipient comes.  It stays as
 * it is until a push, so that whoever still has it sees that it is empty. */
static void line_drop(struct fair *f, struct line *line)
{
	f->n_capped -= line->capped_until_us != 0;
	line->capped_until_us = 0;
	line_leave(f, line);
	map_remove(&f->lines, &line->link);
	list_push(&f->spare_lines, &line->ring);
}

/* A line rests while its flow is held, or a cap stops it. */
static void park_or_join(struct fair *f, struct line *line)
{
	bool rests = line->flow->held || line->capped_until_us;

	if (rests == !line->share)
		return;
	if (line->share) {
		line_leave(f, line);
		list_push(&f->parked, &line->ring);
	} else {
		list_remove(&line->ring);
		line_join(f, line);
	}
}

void fair_rules_changed(struct fair *f)
{
	struct map_link *l;
	size_t pos = 0;

	f->n_capped = 0;
	for (l = map_next(&f->lines, &pos, NULL); l; l = map_next(&f->lines, &pos, l)) {
		struct line *line = container_of(l, struct line, link);
		line->capped_until_us = 0; /* the next of it is asked again */
		park_or_join(f, line);
	}
}

void fair_cap(struct fair *f, struct flow *flow, int64_t until_us)
{
	struct line *line = line_get(f, flow);

	f->n_capped += !line->capped_until_us;
	line->capped_until_us = until_us;
	park_or_join(f, line);
}

int64_t fair_uncap(struct fair *f, int64_t now_us)
{
	struct map_link *l;
	size_t pos = 0;
	int64_t first = 0;

	for (l = f->n_capped ? map_next(&f->lines, &pos, NULL) : NULL; l;
	     l = map_next(&f->lines, &pos, l)) {
		struct line *line = container_of(l, struct line, link);
		if (line->capped_until_us && line->capped_until_us <= now_us) {
			line->capped_until_us = 0;
			f->n_capped--;
			park_or_join(f, line);
		} else if (line->capped_until_us) {
			first =
			    first ? MIN_OF(first, line->capped_until_us) : line->capped_until_us;
		}
	}
	return first;
}

unsigned fair_strays(const struct fair *f, unsigned pool, struct flow **ret, unsigned cap)
{
	struct map_link *l;
	size_t pos = 0;
	unsigned n = 0;

	for (l = map_next(&f->lines, &pos, NULL); l && n < cap; l = map_next(&f->lines, &pos, l)) {
		struct flow *flow = container_of(l, struct line, link)->flow;
		if (flow->to_pool != pool)
			ret[n++] = flow;
	}
	return n;
}

void fair_hand_over(struct fair *from, struct fair *to, struct flow *flow)
{
	struct line *line = line_get(from, flow), *there = line_get(to, flow);
	uint32_t n = line->fifo.count;

	fifo_append(to->slab, &there->fifo, &line->fifo);
	if (there->share)
		count_ready(to, there->share, n, 0);
	if (line->share) {
		count_ready(from, line->share, 0, n);
	} else {
		list_remove(&line->ring); /* it was parked */
		line_join(from, line);    /* with nobody in it, so that it can be dropped */
	}
	line_drop(from, line);
}

/* ---- sorting out ------------------------------------------------------------------------- */

void fair_sort_begin(struct fair *f)
{
	struct map_link *l;
	size_t pos = 0;

	for (l = map_next(&f->lines, &pos, NULL); l; l = map_next(&f->lines, &pos, l)) {
		struct line *line = container_of(l, struct line, link);
		line->to_sort = line->fifo.count;
	}
}

static struct line *unsorted_line(struct fair *f)
{
	struct map_link *l;
	size_t pos = 0;

	for (l = map_next(&f->lines, &pos, NULL); l; l = map_next(&f->lines, &pos, l)) {
		struct line *line = container_of(l, struct line, link);
		line->to_sort = MIN_OF(line->to_sort, line->fifo.count);
		if (line->to_sort)
			return line;
	}
	return NULL;
}

static void leave_line(struct fair *f, struct line *line)
{
	if (line->share)
		f->ready[line->share->class]--;
	if (line->fifo.count)
		return;
	if (!line->share) {
		list_remove(&line->ring); /* it was parked */
		line_join(f, line);
	}
	line_drop(f, line);
}

/* The first of the line goes to its end, or away. */
static void sort_one(struct fair *f, struct fair_sorter *s, struct line *line)
{
	rcpt_ref ref = fifo_pop(f->slab, &line->fifo);

	line->to_sort--;
	if (s->belongs(s, ref)) {
		fifo_push(f->slab, &line->fifo, ref);
		return;
	}
	leave_line(f, line);
	s->gone(s, ref);
}

bool fair_sort(struct fair *f, struct fair_sorter *s, unsigned most)
{
	struct line *line = unsorted_line(f);

	while (line && most) {
		for (; most && line->to_sort; most--) {
			bool last = line->to_sort == 1;
			sort_one(f, s, line);
			if (last)
				break; /* the line may be gone */
		}
		line = most ? unsorted_line(f) : line;
	}
	return line != NULL;
}

/* ---- pushing ----------------------------------------------------------------------------- */

bool fair_push(struct fair *f, struct flow *flow, rcpt_ref ref, bool front)
{
	struct line *line = line_get(f, flow);

	if (front)
		fifo_push_front(f->slab, &line->fifo, ref);
	else
		fifo_push(f->slab, &line->fifo, ref);
	if (!line->share)
		return false;
	count_ready(f, line->share, 1, 0);
	return true;
}

/* ---- shares that are shut ---------------------------------------------------------------- */

static uint32_t waiting_in(const struct share *s)
{
	struct line *line;
	uint32_t n = 0;

	list_each(&s->lines, line, struct line, ring)
		n += line->fifo.count;
	return n;
}

static void shut(struct fair *f, struct share *s, int64_t until_ms, struct list *with)
{
	count_ready(f, s, 0, waiting_in(s));
	s->shut_until_ms = until_ms;
	s->left = 0;
	list_remove(&s->ring);
	list_push(with, &s->ring);
}

void fair_shut(struct fair *f, const struct flow *flow, int64_t until_ms)
{
	struct share *s = share_find(f, flow);

	if (s && !s->shut_until_ms)
		shut(f, s, MIN_OF(MAX_OF(until_ms, (int64_t)1), FAIR_GATED - 1), &f->shut);
}

void fair_shut_at(struct fair *f, const struct flow *flow, struct list *gate)
{
	struct share *s = share_find(f, flow);

	if (!s || s->shut_until_ms)
		return;
	shut(f, s, FAIR_GATED, &f->gated);
	list_push(gate, &s->gate);
}

void fair_put_aside(struct fair *f, const struct flow *flow, struct list *aside)
{
	struct share *s = share_find(f, flow);
	uint32_t left = s ? s->left : 0;

	if (!s || s->shut_until_ms)
		return;
	shut(f, s, FAIR_GATED, &f->gated);
	s->left = left + 1; /* the one that was looked at did not go */
	list_push_front(aside, &s->gate);
}

void fair_put_back(struct list *aside)
{
	struct list *l;

	while ((l = list_pop(aside)) != NULL) {
		struct share *s = container_of(l, struct share, gate);
		s->shut_until_ms = 0;
		count_ready(s->fair, s, waiting_in(s), 0);
		list_remove(&s->ring);
		list_push_front(&s->fair->rings[s->class], &s->ring);
	}
}

static void open_share(struct fair *f, struct share *s)
{
	s->shut_until_ms = 0;
	count_ready(f, s, waiting_in(s), 0);
	list_remove(&s->gate);
	list_remove(&s->ring);
	list_push(&f->rings[s->class], &s->ring);
}

struct fair *fair_open_first(struct list *gate)
{
	struct share *s = list_first(gate, struct share, gate);

	if (!s)
		return NULL;
	open_share(s->fair, s);
	return s->fair;
}

int64_t fair_open(struct fair *f, int64_t now_ms)
{
	int64_t next = 0;
	struct share *s;

	list_each(&f->shut, s, struct share, ring)
		if (s->shut_until_ms <= now_ms)
			open_share(f, s);
		else
			next = next ? MIN_OF(next, s->shut_until_ms) : s->shut_until_ms;
	if (now_ms == INT64_MAX)
		list_each(&f->gated, s, struct share, ring)
			open_share(f, s);
	return next;
}

/* ---- turns ------------------------------------------------------------------------------- */

static unsigned next_class(struct fair *f, unsigned percent, bool bulk)
{
	if (!f->ready[CLASS_TRANSACTIONAL]) {
		f->owed = 0;
		return CLASS_BULK;
	}
	if (!bulk || !f->ready[CLASS_BULK])
		return CLASS_TRANSACTIONAL;
	if (f->owed >= percent) {
		f->owed -= percent;
		return CLASS_BULK;
	}
	f->owed += 100 - percent;
	return CLASS_TRANSACTIONAL;
}

static void to_the_end(struct list *ring, struct list *l)
{
	list_remove(l);
	list_push(ring, l);
}

static rcpt_ref pop(struct fair *f, struct line *line)
{
	rcpt_ref ref = fifo_pop(f->slab, &line->fifo);

	count_ready(f, line->share, 0, 1);
	if (line->fifo.count == 0)
		line_drop(f, line);
	return ref;
}

rcpt_ref fair_take(struct fair *f, unsigned percent, bool bulk, struct line **ret_line)
{
	unsigned class = next_class(f, percent, bulk);
	struct share *s;
	struct line *line;
	rcpt_ref ref;

	if (!f->ready[class] || (class == CLASS_BULK && !bulk))
		return RCPT_NONE;
	s = list_first(&f->rings[class], struct share, ring);
	line = list_first(&s->lines, struct line, ring);
	if (!s->left)
		s->left = line->flow->weight * bursts[class];
	ref = pop(f, line);
	s->left--;
	if (line->share && ++line->burst >= bursts[class] * line->flow->turns) {
		line->burst = 0;
		to_the_end(&s->lines, &line->ring);
	}
	if (!s->left && !list_empty(&s->lines))
		to_the_end(&f->rings[class], &s->ring);
	if (ret_line)
		*ret_line = line;
	return ref;
}

/* Lines of tenants that may not send now are looked at and passed over. */
enum { ENGAGED_LOOKS = 64 };

rcpt_ref fair_take_engaged(struct fair *f, bool bulk, struct line **ret_line)
{
	unsigned looks = ENGAGED_LOOKS;
	struct line *line;

	list_each(&f->engaged, line, struct line, engaged) {
		const struct share *s = line->share;
		if (!looks--)
			break;
		to_the_end(&f->engaged, &line->engaged);
		if (s->shut_until_ms || !line->fifo.count ||
		    (!bulk && s->class != CLASS_TRANSACTIONAL))
			continue;
		if (ret_line)
			*ret_line = line;
		return pop(f, line);
	}
	return RCPT_NONE;
}

rcpt_ref fair_take_same(struct fair *f, struct line *line, job_no job)
{
	const struct rcpt *r;

	if (line->fifo.count == 0 || !line->share || line->share->shut_until_ms)
		return RCPT_NONE;
	r = rcpt_at(f->slab, line->fifo.head);
	if (r->job != job || r->state == RCPT_DEAD)
		return RCPT_NONE;
	return pop(f, line);
}
