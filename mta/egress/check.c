/* mta/egress/check.c - what an operator should know about egress.sources before mail shows it. */
#include <stdarg.h>
#include <stdio.h>

#include "mta/door/conn.h"
#include "mta/egress/egress.h"

struct source_checker {
	const struct egress_options *o;
	bool ipv4, ipv6; /* mail goes that way at all */
	void (*warn)(void *arg, const char *text);
	void *arg;
};

static void PRINTF(2, 3) say(const struct source_checker *c, const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	c->warn(c->arg, text);
}

/* What one pool can do. */
struct abilities {
	bool any, weight, here, family; /* each is one step further */
	bool v4, v6, system;
};

static bool family_is_used(const struct source_checker *c, int family)
{
	return family == AF_INET ? c->ipv4 : family == AF_INET6 ? c->ipv6 : c->ipv4 || c->ipv6;
}

/* What a proxy owns is not on this machine. */
static int look(const struct egress_source *s)
{
	return s->proxy ? 0 : conn_source_check(&s->ip);
}

static void add_abilities(const struct source_checker *c, const struct egress_source *s,
			  struct abilities *a)
{
	a->any = true;
	if (!s->weight)
		return;
	a->weight = true;
	if (look(s) < 0)
		return;
	a->here = true;
	if (!family_is_used(c, s->ip.family))
		return;
	a->family = true;
	a->v4 = a->v4 || s->ip.family == AF_INET;
	a->v6 = a->v6 || s->ip.family == AF_INET6;
	a->system = a->system || !s->ip.family;
}

static void check_pool(const struct source_checker *c, const char *pool)
{
	struct abilities a = { 0 };

	for (unsigned i = 0; i < c->o->n_sources; i++)
		if (strcmp(c->o->sources[i].pool, pool) == 0)
			add_abilities(c, &c->o->sources[i], &a);
	if (!a.weight)
		say(c, "no mail can leave from pool %s: every source of it has weight=0", pool);
	else if (!a.here)
		say(c, "no mail can leave from pool %s: none of its addresses can be used", pool);
	else if (!a.family)
		say(c,
		    "no mail can leave from pool %s: its addresses are of a family that dns.ipv4 "
		    "or dns.ipv6 turns off",
		    pool);
	else if (a.system && (a.v4 || a.v6))
		say(c,
		    "pool %s has * beside addresses: with * the system picks an address, which may "
		    "be one of the others",
		    pool);
	else if (a.v6 && !a.v4)
		say(c, "pool %s has no IPv4 source: its mail waits for hosts without IPv6", pool);
}

static void check_source(const struct source_checker *c, unsigned i)
{
	const struct egress_source *s = &c->o->sources[i];
	int r = look(s);

	if (r < 0)
		say(c, "source %s of pool %s cannot be used: %s", s->ip_text, s->pool, err_text(r));
	else if (!family_is_used(c, s->ip.family))
		say(c, "source %s of pool %s is never used: dns.%s is no", s->ip_text, s->pool,
		    s->ip.family == AF_INET ? "ipv4" : "ipv6");
}

/* Against the entries before it. */
static void compare_source(const struct source_checker *c, unsigned i)
{
	const struct egress_source *s = &c->o->sources[i], *b;

	for (b = c->o->sources; b < s; b++) {
		if (!s->ip.family || !ip_eq(&s->ip, &b->ip))
			continue;
		if (strcmp(s->pool, b->pool) == 0)
			say(c, "source %s is twice in pool %s; their weights add up", s->ip_text,
			    s->pool);
		else if (strcmp(s->ehlo, b->ehlo) != 0)
			say(c, "source %s greets as %s in pool %s and as %s in pool %s", s->ip_text,
			    b->ehlo, b->pool, s->ehlo, s->pool);
		else
			continue;
		return;
	}
}

static bool pool_was_before(const struct egress_options *o, unsigned i)
{
	for (unsigned k = 0; k < i; k++)
		if (strcmp(o->sources[k].pool, o->sources[i].pool) == 0)
			return true;
	return false;
}

void egress_check(const struct egress_options *o, bool ipv4, bool ipv6,
		  void (*warn)(void *arg, const char *text), void *arg)
{
	const struct source_checker c = { o, ipv4, ipv6, warn, arg };

	for (unsigned i = 0; i < o->n_sources; i++) {
		check_source(&c, i);
		compare_source(&c, i);
	}
	for (unsigned i = 0; i < o->n_sources; i++)
		if (!pool_was_before(o, i))
			check_pool(&c, o->sources[i].pool);
	if (o->default_added && o->n_sources > 1)
		say(&c, "no source is in the pool \"default\": mail that names no pool leaves from "
			"whatever address the system picks");
}
