/* tests/sim/conn_sim.c - mta/door/conn.h over scripted hosts, in simulated time. */
#include "tests/sim/conn_sim.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "tests/sim/conn_sim_int.h"

struct conn {
	struct list link;
	struct conn_user *user;
	struct loop *loop;
	struct turn_end turn;
	struct ip peer_ip, source;
	struct sim_peer peer;
	struct buf in, out;
	enum { SIM_CONNECTING, SIM_OPEN, SIM_HANDSHAKE, SIM_BROKEN, SIM_CLOSED } state;
	bool eof, paused, full, tls, broke, deaf;
	const struct tls_check *check;
};

static struct list conns = LIST_INIT(conns);
static struct sim_host *hosts[256];
static unsigned n_hosts, n_live, n_opened;
static struct buf *messages;
static struct ip *message_sources;
static unsigned n_messages;
static bool drops_messages;
static char mistake[512];
static int open_err, tls_err;

void sim_mistake(const char *format, ...)
{
	va_list ap;

	if (mistake[0])
		return;
	va_start(ap, format);
	(void)vsnprintf(mistake, sizeof(mistake), format, ap);
	va_end(ap);
}

const char *conn_sim_mistake(void)
{
	return mistake[0] ? mistake : NULL;
}
unsigned conn_sim_live(void)
{
	return n_live;
}
unsigned conn_sim_opened(void)
{
	return n_opened;
}
void conn_sim_drop_messages(void)
{
	drops_messages = true;
}
void conn_sim_refuse_open(int err)
{
	open_err = err;
}
void conn_sim_refuse_tls(int err)
{
	tls_err = err;
}
unsigned conn_sim_messages(void)
{
	return n_messages;
}
struct slice conn_sim_message(unsigned i)
{
	return i < n_messages ? buf_data(&messages[i]) : slice_of("", 0);
}

bool conn_sim_message_is_from(unsigned i, struct slice ip)
{
	struct ip source;

	return i < n_messages && ip_parse(ip, &source) == 0 && ip_eq(&source, &message_sources[i]);
}

/* NULL: it is not kept. */
static struct buf *new_message(const struct conn *from)
{
	struct buf *b;

	if (from->source.family)
		sim_source(&from->source)->messages++;
	if (drops_messages)
		return NULL;
	if (!(n_messages & (n_messages - 1))) { /* a power of two: there is room for no more */
		unsigned n = MAX_OF(1U, 2 * n_messages);
		messages = must_resize(messages, n * sizeof(*messages));
		message_sources = must_resize(message_sources, n * sizeof(*message_sources));
	}
	message_sources[n_messages] = from->source;
	b = &messages[n_messages++];
	buf_init(b, 0);
	return b;
}

void sim_message_raw(const struct conn *from, struct slice message)
{
	struct buf *b = new_message(from);

	if (b)
		buf_put(b, message);
}

void sim_message(const struct conn *from, struct slice stuffed)
{
	struct buf *b = new_message(from);

	for (size_t i = 0; b && i < stuffed.n; i++) {
		bool line_start = i == 0 || stuffed.p[i - 1] == '\n';

		if (!(line_start && stuffed.p[i] == '.'))
			buf_put(b, slice_of(stuffed.p + i, 1));
	}
}

void conn_sim_reset(void)
{
	assert(list_empty(&conns));
	while (n_hosts) {
		sim_script_free(hosts[--n_hosts]);
		free(hosts[n_hosts]);
	}
	while (n_messages)
		buf_free(&messages[--n_messages]);
	free(messages);
	free(message_sources);
	messages = NULL;
	message_sources = NULL;
	mistake[0] = '\0';
	n_opened = 0;
	sim_machine_reset();
	open_err = tls_err = 0;
	drops_messages = false;
	model_sim_forget();
}

static struct sim_host *find_host(const struct ip *ip, uint16_t port)
{
	for (unsigned i = 0; i < n_hosts; i++)
		if (ip_eq(&hosts[i]->ip, ip) && hosts[i]->port == port)
			return hosts[i];
	return NULL;
}

static void start_over(struct sim_peer *p)
{
	p->line = p->mark = 0;
	p->done = 0;
	memset(p->replies, 0, sizeof(p->replies));
}

int conn_sim_host(struct slice ip_port, struct slice script)
{
	struct sim_host *h, *old;
	struct ip ip;
	uint16_t port;
	int r;

	r = ip_port_parse(ip_port, &ip, &port);
	if (r < 0)
		return r;
	h = must_alloc(sizeof(*h));
	h->ip = ip;
	h->port = port;
	r = sim_script_parse(h, script);
	if (r < 0) {
		sim_script_free(h);
		free(h);
		return r;
	}
	old = find_host(&ip, port);
	if (old) { /* connections that run the old script go on with the new lines from the start */
		struct conn *c;

		list_each(&conns, c, struct conn, link)
			if (c->peer.host == old)
				start_over(&c->peer);
		sim_script_free(old);
		*old = *h;
		free(h);
		return 0;
	}
	assert(n_hosts < ARRAY_LEN(hosts));
	hosts[n_hosts++] = h;
	return 0;
}

/* ---- conn.h ------------------------------------------------------------------------------ */

static void at_turn_end(struct turn_end *t)
{
	struct conn *c = container_of(t, struct conn, turn);

	if (c->state != SIM_CLOSED)
		return;
	buf_free(&c->in);
	buf_free(&c->out);
	sim_peer_free(&c->peer);
	free(c);
	n_live--;
}

int conn_open(struct conn **ret, struct loop *l, const struct conn_target *to, struct conn_user *u)
{
	struct conn *c;
	int r = open_err ? open_err : conn_source_check(&to->source);

	assert(!to->source.family || to->source.family == to->ip.family);
	if (r == 0)
		r = sim_route(&to->source, &to->ip);
	if (r < 0)
		return r;
	c = must_alloc(sizeof(*c));
	c->user = u;
	c->loop = l;
	c->peer_ip = to->ip;
	c->source = to->source;
	c->turn.run = at_turn_end;
	list_init(&c->turn.link);
	buf_init(&c->in, CONN_IN_MAX);
	buf_init(&c->out, 0);
	c->peer.conn = c;
	c->peer.host = find_host(&to->ip, to->port);
	list_push(&conns, &c->link);
	n_live++;
	n_opened++;
	if (to->source.family) {
		sim_source(&to->source)->opened++;
		sim_source(&to->source)->open++;
	}
	*ret = c;
	return 0;
}

int conn_adopt(struct conn **ret, struct loop *l, int fd, struct conn_user *u)
{
	(void)ret;
	(void)l;
	(void)fd;
	(void)u;
	return -ENOTSUP; /* scripted peers are servers */
}

struct conn *conn_free(struct conn *c)
{
	if (!c || c->state == SIM_CLOSED)
		return NULL;
	sim_model_ends(&c->peer);
	c->state = SIM_CLOSED;
	if (c->source.family)
		sim_source(&c->source)->open--;
	list_remove(&c->link);
	loop_at_turn_end(c->loop, &c->turn);
	return NULL;
}

struct slice conn_input(struct conn *c)
{
	return buf_data(&c->in);
}
void conn_consume(struct conn *c, size_t n)
{
	buf_consume(&c->in, n);
}
bool conn_eof(const struct conn *c)
{
	return c->eof;
}
void conn_pause_reading(struct conn *c, bool pause)
{
	c->paused = pause;
}

char *conn_out(struct conn *c, size_t *ret_n)
{
	/* Odd sizes now and then, like the ends of real blocks. */
	size_t n = 1 + (buf_len(&c->out) * 7 + 100) % 4096;

	assert(c->state != SIM_HANDSHAKE);
	if (buf_reserve(&c->out, n) < 0)
		abort();
	*ret_n = n;
	return buf_tail(&c->out);
}
void conn_out_grow(struct conn *c, size_t n)
{
	buf_grow(&c->out, n);
	assert(buf_len(&c->out) <= CONN_OUT_HIGH + 4096);
	if (buf_len(&c->out) >= CONN_OUT_HIGH)
		c->full = true;
}
int conn_write(struct conn *c, struct slice s)
{
	if (c->state >= SIM_BROKEN)
		return -ENOTCONN;
	if (c->state == SIM_HANDSHAKE)
		return -EBUSY;
	if (c->peer.broken) {
		c->broke = true;
		return -EPIPE;
	}
	buf_put(&c->out, s);
	conn_out_grow(c, 0);
	return 0;
}
size_t conn_room(const struct conn *c)
{
	size_t n = buf_len(&c->out);

	return n >= CONN_OUT_HIGH ? 0 : CONN_OUT_HIGH - n;
}
size_t conn_unsent(const struct conn *c)
{
	return buf_len(&c->out);
}
void conn_discard_output(struct conn *c)
{
	buf_clear(&c->out);
}
struct ip conn_peer_ip(const struct conn *c)
{
	return c->peer_ip;
}
struct ip conn_local_ip(const struct conn *c)
{
	static const struct ip picked = { .family = AF_INET, .bytes = { 127, 0, 0, 99 } };

	return c->source.family ? c->source : picked;
}
/* ---- TLS: only who said what when -------------------------------------------------------- */

struct tls_context {
	int unused;
};
struct tls_context *tls_context_free(struct tls_context *t)
{
	free(t);
	return NULL;
}
int tls_client_new(struct tls_context **ret, const char *ca_file)
{
	(void)ca_file;
	*ret = must_alloc(sizeof(**ret));
	return 0;
}
int tls_server_new(struct tls_context **ret, const char *cert, const char *key)
{
	(void)cert;
	(void)key;
	return tls_client_new(ret, NULL);
}
struct tls_session *tls_session_ref(struct tls_session *s)
{
	return s;
}
struct tls_session *tls_session_unref(struct tls_session *s)
{
	(void)s;
	return NULL;
}
int conn_start_tls(struct conn *c, struct tls_context *t, const struct tls_check *check,
		   struct tls_session *resume, size_t *ret_discarded)
{
	(void)t;
	(void)resume;
	c->check = check;
	if (c->state != SIM_OPEN || c->tls)
		return -EINVAL;
	if (tls_err)
		return tls_err;
	*ret_discarded = buf_len(&c->in);
	buf_clear(&c->in);
	c->state = SIM_HANDSHAKE;
	return 0;
}
bool conn_is_tls(const struct conn *c)
{
	return c->tls;
}
bool conn_tls_resumed(const struct conn *c)
{
	(void)c;
	return false;
}
static bool cert_says(const struct conn *c, const char *key, struct slice *ret)
{
	struct slice rest = slice_of(c->peer.cert, strlen(c->peer.cert));

	while (rest.n) {
		struct slice value = slice_take(&rest, ' '), word = slice_take(&value, '=');
		*ret = value;
		if (slice_eq(word, slice_str(key)))
			return true;
	}
	return false;
}
static bool has_name(const struct conn *c)
{
	struct slice name;

	for (unsigned i = 0; cert_says(c, "ca", &name) && i < c->check->n_names; i++)
		if (slice_eq(name, slice_str(c->check->names[i])))
			return true;
	return false;
}
/* Its data is the text of the key. */
static bool has_record(const struct conn *c)
{
	struct slice key;

	for (unsigned i = 0; cert_says(c, "key", &key) && i < c->check->n_records; i++) {
		const struct tls_record *r = &c->check->records[i];
		if (slice_eq(slice_of((const char *)r->data, r->data_n), key))
			return true;
	}
	return false;
}
static enum tls_fault fault(const struct conn *c)
{
	struct slice unused;

	if (!c->check || c->check->demand == TLS_ANY || c->peer.tls != SIM_TLS_OK)
		return TLS_NO_FAULT;
	if (c->check->demand == TLS_DANE)
		return has_record(c) ? TLS_NO_FAULT : TLS_NOT_VALID;
	if (!cert_says(c, "ca", &unused))
		return TLS_UNTRUSTED;
	if (cert_says(c, "expired", &unused))
		return TLS_EXPIRED;
	return has_name(c) ? TLS_NO_FAULT : TLS_OTHER_NAME;
}
void conn_tls_result(const struct conn *c, struct tls_result *ret)
{
	static const char *const reasons[] = { "", "expired", "other name", "untrusted",
					       "no record matches" };

	*ret = (struct tls_result){ .reason = "" };
	if (!c->tls && c->state != SIM_BROKEN)
		return;
	if (c->tls) {
		ret->version = SLICE("TLSv1.3");
		ret->cipher = SLICE("SIMULATED");
	}
	ret->fault = fault(c);
	ret->reason = reasons[ret->fault];
	if (c->tls && !ret->fault && c->check && c->check->demand != TLS_ANY)
		ret->proof = c->check->demand == TLS_DANE ? TLS_BY_DANE_EE : TLS_BY_CHAIN;
}
const char *conn_tls_text(const struct conn *c, char *buf, size_t cap)
{
	(void)snprintf(buf, cap, "%s", c->tls ? "TLSv1.3 SIMULATED" : "");
	return buf;
}
struct tls_session *conn_tls_session(struct conn *c)
{
	(void)c;
	return NULL;
}

/* ---- the wire ---------------------------------------------------------------------------- */

static void tell(struct conn *c, enum conn_event e, int err)
{
	c->user->event(c->user, e, err);
}

static bool break_conn(struct conn *c, int err)
{
	c->state = SIM_BROKEN;
	tell(c, CONN_FAILED, err);
	return true;
}

static size_t may_take(struct sim_peer *p)
{
	size_t n = SIM_WINDOW - MIN_OF(buf_len(&p->inbox), (size_t)SIM_WINDOW);
	int64_t now = clock_mono_ms();

	if (p->hang)
		return 0;
	if (!p->slow_ms)
		return n;
	if (now >= p->slow_next_ms) {
		p->slow_next_ms = now + p->slow_ms;
		p->slow_left = p->slow_bytes;
	}
	return MIN_OF(n, (size_t)p->slow_left);
}

static bool carry_out(struct conn *c)
{
	size_t n = MIN_OF(may_take(&c->peer), buf_len(&c->out));

	if (n) {
		buf_put(&c->peer.inbox, slice_of(buf_data(&c->out).p, n));
		buf_consume(&c->out, n);
		if (c->peer.slow_ms)
			c->peer.slow_left -= (int64_t)n;
	}
	return n > 0;
}

static bool carry_in(struct conn *c)
{
	struct sim_peer *p = &c->peer;
	size_t n = MIN_OF(CONN_IN_MAX - buf_len(&c->in), buf_len(&p->outbox));

	if (c->paused || c->eof)
		return false;
	if (n) {
		if (buf_append(&c->in, slice_of(buf_data(&p->outbox).p, n)) < 0)
			abort();
		buf_consume(&p->outbox, n);
	}
	c->eof = p->fin && !buf_len(&p->outbox);
	return n || c->eof;
}

static bool step_connecting(struct conn *c)
{
	const struct sim_host *h = c->peer.host;
	const char *first = h && h->n_lines ? h->lines[0].word->name : "refuse";

	int model, cut_off = c->source.family ? sim_source(&c->source)->cut_off : 0;

	if (cut_off && cut_off != E_TIMEOUT)
		return break_conn(c, cut_off);
	if (cut_off)
		return false;
	if (!strcmp(first, "model") && (model = sim_model_connects(&c->peer)) <= 0) {
		if (model < 0)
			return break_conn(c, -ECONNREFUSED);
		c->deaf = true;
	}
	if (c->deaf || !strcmp(first, "no-connect"))
		return false;
	if (!strcmp(first, "refuse"))
		return break_conn(c, -ECONNREFUSED);
	c->state = SIM_OPEN;
	tell(c, CONN_OPEN, 0);
	return true;
}

static bool step_handshake(struct conn *c)
{
	struct sim_peer *p = &c->peer;

	if (p->tls == SIM_TLS_OK && fault(c) && !c->check->report_only)
		return break_conn(c, E_TLS);
	if (p->tls == SIM_TLS_OK) {
		c->state = SIM_OPEN;
		c->tls = true;
		tell(c, CONN_TLS_DONE, 0);
		return true;
	}
	if (p->tls == SIM_TLS_BROKEN || buf_len(&p->outbox) || p->fin || p->reset)
		return break_conn(c, E_TLS);
	return false;
}

static bool step_conn(struct conn *c)
{
	bool moved;

	if (c->state >= SIM_BROKEN)
		return false;
	if (c->state == SIM_CONNECTING)
		return !c->deaf && step_connecting(c);
	if (c->broke)
		return break_conn(c, -EPIPE);
	moved = carry_out(c);
	sim_peer_run(&c->peer);
	if (c->state == SIM_HANDSHAKE)
		return step_handshake(c) || moved;
	if (c->full && buf_len(&c->out) <= CONN_OUT_HIGH / 2) {
		c->full = false;
		tell(c, CONN_WRITABLE, 0);
		return true;
	}
	if (carry_in(c)) {
		tell(c, CONN_READABLE, 0);
		return true;
	}
	if (c->peer.reset && !buf_len(&c->peer.outbox))
		return break_conn(c, -ECONNRESET);
	return moved;
}

bool conn_sim_step(struct loop *l)
{
	bool moved = !list_empty(&l->turn_end);
	struct list now = LIST_INIT(now);
	struct list *link;

	while (!list_empty(&l->turn_end))
		loop_run_turn_end(l);
	/* Conns may be opened and freed meanwhile, so each is taken from a list of its own. */
	while ((link = list_pop(&conns)))
		list_push(&now, link);
	while ((link = list_pop(&now))) {
		struct conn *c = container_of(link, struct conn, link);

		list_push(&conns, &c->link);
		moved |= step_conn(c);
	}
	while (!list_empty(&l->turn_end))
		loop_run_turn_end(l);
	return moved;
}

int64_t conn_sim_next(void)
{
	int64_t now = clock_mono_ms(), next = -1;
	struct conn *c;

	list_each(&conns, c, struct conn, link) {
		int64_t at = c->peer.wake_ms;

		if (c->peer.slow_ms && buf_len(&c->out) && !c->peer.slow_left)
			at = at ? MIN_OF(at, c->peer.slow_next_ms) : c->peer.slow_next_ms;
		if (c->state < SIM_BROKEN && at > now && (next < 0 || at - now < next))
			next = at - now;
	}
	return next;
}
