/* tests/sim/resolver_sim.c - dns/resolver.h answered from a script. */
#include "tests/sim/resolver_sim.h"

#include "base/buf.h"
#include "dns/name.h"
#include "mta/door/timer.h"

enum { UNKNOWN_DELAY_MS = 1, ALIASES_MAX = 8, TTL_S = 300 };

struct row {
	struct list link;
	char name[DNS_NAME_MAX];
	enum dns_type type;
	uint32_t delay_ms;
	bool secure;
	int status;
	unsigned n;
	struct dns_record records[DNS_RECORDS_MAX];
	char *text; /* what the records' slices show */
};

struct resolver {
	struct list asked;
	struct resolver_stats stats;
};

/* One query on its way; the answer is read from the script when its time has come. */
struct asking {
	struct list link;
	struct timer timer;
	struct resolver *r;
	struct dns_query *query;
	char name[DNS_NAME_MAX];
	enum dns_type type;
};

static struct list script = LIST_INIT(script);
static struct timers *sim_timers;

/* ---- the script -------------------------------------------------------------------------- */

void resolver_sim_timers(struct timers *timers)
{
	sim_timers = timers;
}

static struct row *find_row(const char *name, enum dns_type type)
{
	struct row *row;

	list_each(&script, row, struct row, link)
		if (row->type == type && strcmp(row->name, name) == 0)
			return row;
	return NULL;
}

static bool has_rows(const char *name)
{
	struct row *row;

	list_each(&script, row, struct row, link)
		if (strcmp(row->name, name) == 0)
			return true;
	return false;
}

static void drop_row(struct row *row)
{
	list_remove(&row->link);
	free(row->text);
	free(row);
}

void resolver_sim_forget(void)
{
	struct row *row;

	list_each(&script, row, struct row, link)
		drop_row(row);
}

/* A script without sense is a mistake of the test. */
static void demand(bool ok)
{
	if (!ok)
		abort();
}

static struct slice clean_in_place(struct slice s)
{
	char clean[DNS_NAME_MAX];
	int n;

	if (slice_eq(s, SLICE(".")))
		return slice_of(s.p, 0);
	n = name_clean(s, clean);
	demand(n > 0);
	memcpy((char *)(uintptr_t)s.p, clean, (size_t)n);
	return slice_of(s.p, (size_t)n);
}

static void parse_record(struct row *row, struct slice s)
{
	struct dns_record *rec = &row->records[row->n++];
	uint64_t preference;

	switch (row->type) {
	case DNS_A:
	case DNS_AAAA:
		demand(ip_parse(s, &rec->ip) == 0 &&
		       (rec->ip.family == AF_INET) == (row->type == DNS_A));
		break;
	case DNS_MX:
		demand(slice_u64(slice_trim(slice_take(&s, ' ')), UINT16_MAX, &preference) == 0);
		rec->preference = (uint16_t)preference;
		rec->name = clean_in_place(slice_trim(s));
		break;
	case DNS_TXT:
	case DNS_TLSA:
		rec->data = s;
		break;
	default:
		rec->name = clean_in_place(s);
	}
}

static void parse_answer(struct row *row)
{
	static const struct {
		const char *word;
		int status;
	} words[] = { { "NXDOMAIN", E_DNS_NXDOMAIN },
		      { "NONE", E_DNS_NONE },
		      { "TEMP", E_DNS_TEMP } };
	struct slice rest = slice_str(row->text);

	row->secure = strncmp(row->text, "SECURE ", 7) == 0;
	if (row->secure)
		rest = slice_skip(rest, 7);
	for (unsigned i = 0; i < ARRAY_LEN(words); i++)
		if (slice_eq(rest, slice_str(words[i].word))) {
			row->status = words[i].status;
			return;
		}
	if (row->type == DNS_TXT)
		parse_record(row, rest);
	else
		while (rest.n && row->n < DNS_RECORDS_MAX)
			parse_record(row, slice_trim(slice_take(&rest, ',')));
}

void resolver_sim_set(const char *name, enum dns_type type, uint32_t delay_ms, const char *answer)
{
	char clean[DNS_NAME_MAX];
	struct row *row;

	demand(name_clean(slice_str(name), clean) > 0);
	row = find_row(clean, type);
	if (row)
		drop_row(row);
	row = must_alloc(sizeof(*row));
	memcpy(row->name, clean, sizeof(clean));
	row->type = type;
	row->delay_ms = delay_ms;
	row->text = must_copy(slice_str(answer));
	list_push(&script, &row->link);
	parse_answer(row);
}

/* ---- the resolver ------------------------------------------------------------------------ */

void resolver_options_default(struct resolver_options *o)
{
	*o = (struct resolver_options){ .timeout_ms = 3000, .tries = 4 };
}

int resolver_options_system(struct resolver_options *o, const char *path UNUSED)
{
	o->n_servers = 0;
	return 0;
}

int resolver_new(struct resolver **ret, struct ev_loop *loop UNUSED,
		 const struct resolver_options *o UNUSED)
{
	struct resolver *r = must_alloc(sizeof(*r));

	list_init(&r->asked);
	*ret = r;
	return 0;
}

static void asking_free(struct asking *a)
{
	timer_stop(sim_timers, &a->timer);
	list_remove(&a->link);
	a->query->state = NULL;
	a->r->stats.pending--;
	free(a);
}

struct resolver *resolver_free(struct resolver *r)
{
	struct asking *a;

	if (!r)
		return NULL;
	list_each(&r->asked, a, struct asking, link)
		asking_free(a);
	free(r);
	return NULL;
}

static const struct row *find_answer(const char **name, enum dns_type type, int *status,
				     bool *secure)
{
	static char target[DNS_NAME_MAX];
	const struct row *row, *alias;

	for (int i = 0; i <= ALIASES_MAX; i++) {
		row = find_row(*name, type);
		alias = row ? NULL : find_row(*name, DNS_CNAME);
		if (!alias || alias->n != 1) {
			*status = row ? row->status : has_rows(*name) ? E_DNS_NONE : E_DNS_NXDOMAIN;
			*secure = *secure && row && row->secure;
			return row;
		}
		*secure = *secure && alias->secure;
		(void)slice_copy(target, sizeof(target), alias->records[0].name);
		*name = target;
	}
	*status = E_DNS_TEMP;
	return NULL;
}

static void fire(struct timer *t)
{
	struct asking *a = container_of(t, struct asking, timer);
	struct dns_query *query = a->query;
	struct dns_answer answer = { .ttl_s = TTL_S, .authentic = true };
	const char *name = a->name;
	char canonical[DNS_NAME_MAX];
	const struct row *row = find_answer(&name, a->type, &answer.status, &answer.authentic);

	(void)slice_copy(canonical, sizeof(canonical), slice_str(name));
	answer.canonical = slice_str(canonical);
	if (row) {
		answer.n = row->n;
		answer.records = row->records;
	}
	asking_free(a);
	query->done(query, &answer);
}

int resolver_ask(struct resolver *r, struct dns_query *q, struct slice name, enum dns_type type)
{
	struct asking *a;
	struct row *row;
	char clean[DNS_NAME_MAX];

	if (name_clean(name, clean) < 0)
		return E_SYNTAX;
	a = must_alloc(sizeof(*a));
	memcpy(a->name, clean, sizeof(clean));
	a->r = r;
	a->query = q;
	a->type = type;
	timer_init(&a->timer, fire);
	list_push(&r->asked, &a->link);
	q->state = a;
	r->stats.asked++;
	r->stats.sent++;
	r->stats.pending++;
	row = find_row(clean, type);
	timer_set(sim_timers, &a->timer, row ? row->delay_ms : UNKNOWN_DELAY_MS);
	return 0;
}

void resolver_cancel(struct resolver *r UNUSED, struct dns_query *q)
{
	if (q->state)
		asking_free(q->state);
}

void resolver_flush(struct resolver *r UNUSED, struct slice name UNUSED)
{
}

void resolver_stats(const struct resolver *r, struct resolver_stats *ret)
{
	*ret = r->stats;
}
