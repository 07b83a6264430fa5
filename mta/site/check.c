/* mta/site/check.c - questions to DNS and to the machine about one source. */
#include "mta/site/check.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>

enum { FINDINGS_MAX = CHECK_ZONES_MAX + 8, EHLO_NAME = CHECK_NAMES_MAX };

/* A question, and which one it is. */
struct check_query {
	struct dns_query query;
	struct source_check *check;
	unsigned i; /* of a name or a zone */
};
struct source_check {
	struct sites *sites;
	struct check_user *user;
	struct ip ip;
	char ehlo[256];
	bool proxied, over;
	struct timer timer;
	struct turn_end end;
	unsigned waiting;
	struct check_query ptr, names[CHECK_NAMES_MAX + 1],
	    zones[CHECK_ZONES_MAX]; /* the last: EHLO's */
	char ptr_names[CHECK_NAMES_MAX][DNS_NAME_MAX + 1];
	unsigned n_ptr_names, n_confirmed;
	bool ptr_answered, ehlo_answered, ehlo_leads_here, ehlo_is_ptr;
	int ptr_status, ehlo_status;
	struct conn *conn;
	struct conn_user conn_user;
	unsigned n_findings;
	struct check_finding findings[FINDINGS_MAX];
};

static void PRINTF(5, 6) find(struct source_check *c, const char *what, enum check_result result,
			      const char *advice, const char *format, ...)
{
	struct check_finding *f;
	va_list ap;

	if (c->n_findings == FINDINGS_MAX)
		return;
	f = &c->findings[c->n_findings++];
	f->what = what;
	f->result = result;
	f->advice = advice;
	va_start(ap, format);
	(void)vsnprintf(f->text, sizeof(f->text), format, ap);
	va_end(ap);
}

/* ---- names of addresses ------------------------------------------------------------------ */

void check_reverse_name(const struct ip *ip, struct slice zone, struct buf *ret)
{
	static const char hex[] = "0123456789abcdef";

	if (ip->family == AF_INET)
		buf_putf(ret, "%u.%u.%u.%u.", ip->bytes[3], ip->bytes[2], ip->bytes[1],
			 ip->bytes[0]);
	else
		for (unsigned i = 16; i-- > 0;)
			buf_putf(ret, "%c.%c.", hex[ip->bytes[i] & 15], hex[ip->bytes[i] >> 4]);
	buf_put(ret, zone);
}

/* ---- the end ----------------------------------------------------------------------------- */

static void find_names(struct source_check *c)
{
	static const char ptr_advice[] =
	    "ask whoever routes the address for a PTR record with the name that it greets with";
	static const char fc_advice[] = "add an A or AAAA record for the name with this address";

	if (!c->ptr_answered || c->ptr_status == E_DNS_TEMP)
		find(c, "ptr", CHECK_UNKNOWN, "", "DNS did not say what the address is called");
	else if (!c->n_ptr_names)
		find(c, "ptr", CHECK_BAD, ptr_advice, "the address has no name (PTR)");
	else
		find(c, "ptr", CHECK_GOOD, "", "the address is called %.200s", c->ptr_names[0]);
	if (c->n_confirmed)
		find(c, "fcrdns", CHECK_GOOD, "", "the name leads back to the address");
	else if (c->n_ptr_names)
		find(c, "fcrdns", CHECK_BAD, fc_advice, "%.180s does not lead to the address",
		     c->ptr_names[0]);
}

static void find_ehlo(struct source_check *c)
{
	if (c->ehlo_is_ptr && c->ehlo_leads_here)
		find(c, "ehlo", CHECK_GOOD, "", "it greets with the name of the address");
	else if (c->ehlo_leads_here)
		find(c, "ehlo", CHECK_BAD,
		     "let the PTR record and egress.sources have the same name",
		     "%.180s leads to the address, which has another name", c->ehlo);
	else if (!c->ehlo_answered || c->ehlo_status == E_DNS_TEMP)
		find(c, "ehlo", CHECK_UNKNOWN, "", "DNS did not say where %.180s leads", c->ehlo);
	else
		find(c, "ehlo", CHECK_BAD,
		     "add an address record for the name, or greet with the name of the address",
		     "%.180s does not lead to the address", c->ehlo);
}

static void finish(struct turn_end *t)
{
	struct source_check *c = container_of(t, struct source_check, end);

	c->user->done(c->user);
}

static void end_all(struct source_check *c)
{
	struct resolver *r = c->sites->resolver;

	timer_stop(c->sites->loop->timers, &c->timer);
	resolver_cancel(r, &c->ptr.query);
	for (unsigned i = 0; i < ARRAY_LEN(c->names); i++)
		resolver_cancel(r, &c->names[i].query);
	for (unsigned i = 0; i < ARRAY_LEN(c->zones); i++)
		resolver_cancel(r, &c->zones[i].query);
	c->conn = conn_free(c->conn);
}

static void conclude(struct source_check *c)
{
	if (c->over)
		return;
	c->over = true;
	if (c->ip.family) {
		find_names(c);
		find_ehlo(c);
	}
	end_all(c);
	loop_at_turn_end(c->sites->loop, &c->end);
}

static void one_less(struct source_check *c)
{
	if (--c->waiting == 0)
		conclude(c);
}

static const char *zone_name(const struct source_check *c, unsigned i)
{
	const struct egress_options *o =
	    settings_of(engine_settings(lane_engine(c->sites->lane)), &egress_option_set);

	return i < o->n_zones ? o->zones[i] : "a block list";
}

static void on_timer(struct timer *t)
{
	struct source_check *c = container_of(t, struct source_check, timer);

	for (unsigned i = 0; i < ARRAY_LEN(c->zones); i++)
		if (c->zones[i].check)
			find(c, "block list", CHECK_UNKNOWN, "", "%.180s did not answer",
			     zone_name(c, i));
	if (c->conn)
		find(c, "port 25", CHECK_BAD,
		     "ask the network's owner whether port 25 is open to the outside",
		     "no connection within %d seconds", CHECK_MS / 1000);
	conclude(c);
}

/* ---- DNS --------------------------------------------------------------------------------- */

static void ask(struct source_check *c, struct check_query *a, unsigned i, struct slice name,
		enum dns_type type, void (*done)(struct dns_query *, const struct dns_answer *))
{
	a->check = c;
	a->i = i;
	dns_query_init(&a->query, done);
	if (resolver_ask(c->sites->resolver, &a->query, name, type) == 0)
		c->waiting++;
	else
		a->check = NULL;
}

static bool leads_here(const struct source_check *c, const struct dns_answer *a)
{
	for (unsigned i = 0; a->status == 0 && i < a->n; i++)
		if (ip_eq(&a->records[i].ip, &c->ip))
			return true;
	return false;
}

static void on_name(struct dns_query *q, const struct dns_answer *answer)
{
	struct check_query *a = container_of(q, struct check_query, query);
	struct source_check *c = a->check;

	a->check = NULL;
	if (a->i == EHLO_NAME) {
		c->ehlo_answered = true;
		c->ehlo_status = answer->status;
		c->ehlo_leads_here = leads_here(c, answer);
	} else if (leads_here(c, answer)) {
		c->n_confirmed++;
		if (slice_eq_nocase(slice_str(c->ptr_names[a->i]), slice_str(c->ehlo)))
			c->ehlo_is_ptr = true;
	}
	one_less(c);
}

static void ask_address_of(struct source_check *c, unsigned i, const char *name)
{
	ask(c, &c->names[i], i, slice_str(name), c->ip.family == AF_INET ? DNS_A : DNS_AAAA,
	    on_name);
}

static void on_ptr(struct dns_query *q, const struct dns_answer *answer)
{
	struct check_query *a = container_of(q, struct check_query, query);
	struct source_check *c = a->check;

	a->check = NULL;
	c->ptr_answered = true;
	c->ptr_status = answer->status;
	for (unsigned i = 0; answer->status == 0 && i < MIN_OF(answer->n, CHECK_NAMES_MAX); i++)
		slice_copy(c->ptr_names[c->n_ptr_names++], sizeof(c->ptr_names[0]),
			   answer->records[i].name);
	for (unsigned i = 0; i < c->n_ptr_names; i++)
		ask_address_of(c, i, c->ptr_names[i]);
	one_less(c);
}

static void judge_listing(struct source_check *c, const char *zone, const struct ip *ip)
{
	char text[IP_TEXT_MAX];

	ip_format(ip, text);
	if (ip->family != AF_INET || ip->bytes[0] != 127)
		find(c, "block list", CHECK_UNKNOWN, "take it out of source.check_zones",
		     "%.160s answers %s, which is no listing: it may no longer be a list", zone,
		     text);
	else if (ip->bytes[1] == 255 && ip->bytes[2] == 255)
		find(c, "block list", CHECK_UNKNOWN,
		     "ask it through a resolver of your own, or see its terms of use",
		     "%.160s refuses to answer this resolver (%s)", zone, text);
	else
		find(c, "block list", CHECK_BAD,
		     "look the address up at the list, end what got it there, then ask for removal",
		     "%.160s lists the address (%s)", zone, text);
}

static void on_zone(struct dns_query *q, const struct dns_answer *answer)
{
	struct check_query *a = container_of(q, struct check_query, query);
	struct source_check *c = a->check;
	const char *zone = zone_name(c, a->i);

	a->check = NULL;
	if (answer->status == E_DNS_NXDOMAIN || answer->status == E_DNS_NONE)
		find(c, "block list", CHECK_GOOD, "", "%.180s does not list the address", zone);
	else if (answer->status < 0 || !answer->n)
		find(c, "block list", CHECK_UNKNOWN, "", "%.180s gave no usable answer", zone);
	else
		judge_listing(c, zone, &answer->records[0].ip);
	one_less(c);
}

static void ask_dns(struct source_check *c, const struct egress_options *o)
{
	struct buf name;

	buf_init(&name, 0);
	check_reverse_name(
	    &c->ip, c->ip.family == AF_INET ? SLICE("in-addr.arpa") : SLICE("ip6.arpa"), &name);
	ask(c, &c->ptr, 0, buf_data(&name), DNS_PTR, on_ptr);
	ask_address_of(c, EHLO_NAME, c->ehlo);
	for (unsigned i = 0; i < o->n_zones; i++) {
		buf_clear(&name);
		check_reverse_name(&c->ip, slice_str(o->zones[i]), &name);
		ask(c, &c->zones[i], i, buf_data(&name), DNS_A, on_zone);
	}
	buf_free(&name);
}

/* ---- the machine ------------------------------------------------------------------------- */

static void find_address(struct source_check *c)
{
	int r = c->proxied ? 0 : conn_source_check(&c->ip);

	if (c->proxied)
		find(c, "address", CHECK_GOOD, "", "the address is the proxy's");
	else if (!c->ip.family)
		find(c, "address", CHECK_UNKNOWN, "give egress.sources the address itself",
		     "the system picks an address, which is not known");
	else if (r < 0)
		find(c, "address", CHECK_BAD,
		     "add it to an interface (ip address add ...), or take it out of "
		     "egress.sources",
		     "%s", err_text(r));
	else
		find(c, "address", CHECK_GOOD, "", "the address is on this machine");
}

static void on_conn(struct conn_user *u, enum conn_event e, int err)
{
	struct source_check *c = container_of(u, struct source_check, conn_user);

	if (e == CONN_OPEN)
		find(c, "port 25", CHECK_GOOD, "", "a connection could be opened");
	else if (e == CONN_FAILED)
		find(c, "port 25", CHECK_BAD,
		     "ask the network's owner whether port 25 is open to the outside", "%s",
		     err_text(err));
	else
		return;
	c->conn = conn_free(c->conn);
	one_less(c);
}

static void connect_out(struct source_check *c, const struct egress_options *o)
{
	struct conn_target to = { .ip = o->check_ip, .port = o->check_port, .source = c->ip };
	int r;

	if (c->proxied || !o->check_port || (c->ip.family && c->ip.family != o->check_ip.family))
		return;
	c->conn_user.event = on_conn;
	r = conn_open(&c->conn, c->sites->loop, &to, &c->conn_user);
	if (r == 0)
		c->waiting++;
	else
		find(c, "port 25", CHECK_BAD, "see the finding about the address", "%s",
		     err_text(r));
}

/* ---- life -------------------------------------------------------------------------------- */

struct source_check *check_new(const struct ip *ip, const char *ehlo, bool proxied)
{
	struct source_check *c = must_alloc(sizeof(*c));

	c->ip = *ip;
	c->proxied = proxied;
	slice_copy(c->ehlo, sizeof(c->ehlo), slice_str(ehlo));
	timer_init(&c->timer, on_timer);
	list_init(&c->end.link);
	c->end.run = finish;
	for (unsigned i = 0; i < ARRAY_LEN(c->names); i++)
		dns_query_init(&c->names[i].query, NULL);
	for (unsigned i = 0; i < ARRAY_LEN(c->zones); i++)
		dns_query_init(&c->zones[i].query, NULL);
	dns_query_init(&c->ptr.query, NULL);
	return c;
}

struct source_check *check_free(struct source_check *c)
{
	if (!c)
		return NULL;
	if (c->sites && !c->over)
		end_all(c);
	list_remove(&c->end.link);
	free(c);
	return NULL;
}

void check_start(struct source_check *c, struct sites *s, struct check_user *u)
{
	const struct egress_options *o =
	    settings_of(engine_settings(lane_engine(s->lane)), &egress_option_set);

	c->sites = s;
	c->user = u;
	c->waiting = 1;
	timer_set(s->loop->timers, &c->timer, CHECK_MS);
	find_address(c);
	if (c->ip.family)
		ask_dns(c, o);
	connect_out(c, o);
	one_less(c);
}

const struct check_finding *check_finding(const struct source_check *c, unsigned i)
{
	return i < c->n_findings ? &c->findings[i] : NULL;
}
