/* mta/site/knock.c - a session that ends as soon as it could take mail. */
#include "mta/site/knock.h"

#include <stdio.h>

#include "mta/config/host.h"
#include "mta/site/channel.h"
#include "mta/site/shaping.h"
#include "mta/token/tokens.h"

struct knock {
	struct session_user user;
	struct session *session;
	struct sites *sites;
	struct relay *relay;
	struct smart_auth *auth;
	struct policy_facts *facts;
	struct policy_demand demand;
	struct tls_check check;
	struct knock_user *waits;
	struct timer limit, look, again; /* again: its token is being asked for */
	bool second;                     /* the token is another one than the host refused */
	unsigned next;                   /* address of the first host */
	bool good;
	char route[80], host[DNS_NAME_MAX], ip[IP_TEXT_MAX], tls[80], how[16], text[KNOCK_TEXT_MAX];
};

static void knock(struct knock *k);

static void end(struct knock *k)
{
	timer_stop(k->sites->loop->timers, &k->again);
	timer_set(k->sites->loop->timers, &k->limit, 0); /* told from the loop */
	k->session = session_free(k->session);
	k->auth = smart_auth_free(k->auth);
}

static void on_limit(struct timer *t)
{
	struct knock *k = container_of(t, struct knock, limit);

	if (k->session || timer_running(&k->again)) {
		(void)snprintf(
		    k->text, sizeof(k->text), "no end after %d seconds, %s", KNOCK_MS / 1000,
		    k->session ? session_doing(k->session) : "waiting for the token endpoint");
		end(k);
		return;
	}
	timer_stop(k->sites->loop->timers, &k->look);
	if (!k->text[0])
		(void)snprintf(k->text, sizeof(k->text), "its host is still being looked up");
	k->waits->done(k->waits);
}

static void on_ready(struct session_user *u)
{
	struct knock *k = container_of(u, struct knock, user);
	struct conn *c = session_conn(k->session);
	struct tls_result r;

	if (conn_is_tls(c)) {
		conn_tls_result(c, &r);
		(void)conn_tls_text(c, k->tls, sizeof(k->tls));
		if (r.proof != TLS_UNPROVED)
			strncat(k->tls, ", proved", sizeof(k->tls) - strlen(k->tls) - 1);
	}
	if (k->relay->route->token_url)
		tokens_proved(k->sites->tokens, k->relay->route);
	if (k->auth)
		(void)snprintf(k->how, sizeof(k->how), "%s",
			       smtp_auth_name(k->auth->auth.mechanism));
	k->good = true;
	session_quit(k->session);
}

static void on_done(struct session_user *u, struct txn *t)
{
	(void)u, (void)t;
}

/* The host refused the token that was kept: once more with another one. */
static bool needs_another_token(struct knock *k)
{
	const struct smart_route *r = k->relay->route;

	if (!r->token_url || !k->auth || k->second)
		return false;
	k->second = true;
	return tokens_refused(k->sites->tokens, r, k->auth->auth.secret);
}

static void on_gone(struct session_user *u, const struct verdict *v)
{
	struct knock *k = container_of(u, struct knock, user);
	bool unanswered = !k->good && !v->code && status_eq(v->status, STATUS(4, 4, 1)), again;

	if (k->good)
		(void)snprintf(k->text, sizeof(k->text), "it would take mail");
	else if (v->code)
		(void)snprintf(k->text, sizeof(k->text), "%u %.*s", v->code % 1000U, (int)v->text_n,
			       v->text);
	else
		(void)snprintf(k->text, sizeof(k->text), "%.*s", (int)v->text_n, v->text);
	again = !k->good && session_auth_refused(k->session) && needs_another_token(k);
	k->session = session_free(k->session);
	if (unanswered)
		knock(k); /* the next address */
	else if (again)
		timer_set(k->sites->loop->timers, &k->again, 0);
	else
		end(k);
}

static void open_session(struct knock *k, const struct ip *ip)
{
	const struct smart_route *r = k->relay->route;
	struct session_options o = {
		.to = { .ip = *ip, .port = r->port },
		.mx_host = k->host,
		.ehlo = host_options(engine_settings(lane_engine(k->sites->lane)))->hostname,
		.timeouts = shaping_timeouts(&k->relay->site->shape),
		.tls = k->demand.tls,
		.tls_check = &k->check,
		.tls_at_once = r->tls_at_once,
		.tls_context = k->sites->tls,
		.auth = k->auth ? &k->auth->auth : NULL,
	};
	int err = session_new(&k->session, k->sites->loop, &o, &k->user);

	if (err == 0)
		return;
	(void)snprintf(k->text, sizeof(k->text), "%s", err_text(err));
	knock(k);
}

/* At the next address of its best host. */
static void knock(struct knock *k)
{
	const struct route_host *h = &k->facts->route->hosts[0];

	if (k->next == h->n_ips) {
		end(k);
		return;
	}
	ip_format(&h->ips[k->next], k->ip);
	open_session(k, &h->ips[k->next++]);
}

/* False: not now. */
static bool take_token(struct knock *k)
{
	char why[TOKENS_WHY_MAX];

	switch (tokens_get(k->sites->tokens, k->relay->route, k->auth, why)) {
	case TOKENS_GOOD:
		return true;
	case TOKENS_ASKING:
		timer_set(k->sites->loop->timers, &k->again, TOKENS_LOOK_MS);
		return false;
	default:
		(void)snprintf(k->text, sizeof(k->text), "no token: %s", why);
		end(k);
		return false;
	}
}

static void begin(struct knock *k)
{
	int err;

	k->auth = smart_auth_free(k->auth);
	err = smart_auth_new(&k->auth, k->relay->route);
	if (err < 0) {
		(void)snprintf(k->text, sizeof(k->text), "its credentials cannot be used: %s",
			       err == E_DENIED ? "others can read the file" : err_text(err));
		end(k);
		return;
	}
	if (k->relay->route->token_url && !take_token(k))
		return;
	(void)policy_facts_unref(k->facts);
	k->next = 0;
	k->facts = policy_facts_ref(k->relay->site->facts);
	(void)slice_copy(k->host, sizeof(k->host), slice_str(k->facts->route->hosts[0].name));
	k->demand =
	    policy_facts_decide(k->facts, 0, k->relay->route->tls, POLICY_ASKED_NOTHING, false);
	policy_facts_check(k->facts, 0, &k->demand, &k->check);
	knock(k);
}

static void on_again(struct timer *t)
{
	begin(container_of(t, struct knock, again));
}

enum { LOOK_MS = 50 };

/* As soon as its host is known, or cannot be. */
static void when_found(struct knock *k)
{
	if (k->relay && k->relay->site) {
		begin(k);
		return;
	}
	if (k->relay && k->relay->asked && !k->relay->problem[0]) {
		timer_set(k->sites->loop->timers, &k->look, LOOK_MS);
		return;
	}
	if (k->relay)
		relay_explain(k->relay, k->text, sizeof(k->text));
	else
		(void)snprintf(k->text, sizeof(k->text), "there is no such route");
	end(k);
}

static void on_look(struct timer *t)
{
	when_found(container_of(t, struct knock, look));
}

struct knock *knock_new(struct slice route)
{
	struct knock *k = must_alloc(sizeof(*k));

	(void)slice_copy(k->route, sizeof(k->route), route);
	k->user = (struct session_user){ on_ready, on_done, on_gone };
	timer_init(&k->limit, on_limit);
	timer_init(&k->again, on_again);
	timer_init(&k->look, on_look);
	return k;
}

void knock_start(struct knock *k, struct sites *s, struct knock_user *u)
{
	struct relay *r;

	k->sites = s;
	k->waits = u;
	timer_set(s->loop->timers, &k->limit, KNOCK_MS);
	list_each(&s->relays, r, struct relay, link)
		if (r->kept && strcmp(r->route->name, k->route) == 0)
			k->relay = r;
	when_found(k);
}

struct knock *knock_free(struct knock *k)
{
	if (!k)
		return NULL;
	if (k->sites) {
		timer_stop(k->sites->loop->timers, &k->look);
		timer_stop(k->sites->loop->timers, &k->limit);
		timer_stop(k->sites->loop->timers, &k->again);
	}
	k->session = session_free(k->session);
	(void)smart_auth_free(k->auth);
	(void)policy_facts_unref(k->facts);
	free(k);
	return NULL;
}

struct knock_facts knock_facts(const struct knock *k)
{
	return (struct knock_facts){ k->good, k->host, k->ip, k->tls, k->how, k->text };
}
