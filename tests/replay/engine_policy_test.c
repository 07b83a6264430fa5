/* How mail may travel, by a whole engine in simulated time: DNS says what holds, hosts try to get
 * by with less. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>

#include "tests/replay/engine_world.h"

#define KEY "0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210"
#define TLSA(key) "SECURE \3\1\1" key
#define WITH_TLS(certificate)                                                                      \
	"say 220 mx.test\nexpect EHLO\nraw 250-mx.test\\r\\n250 STARTTLS\\r\\n\n"                  \
	"expect STARTTLS\nsay 220 go\ntls " certificate "\nserve\n"

static const char at_one[] = "127.0.1.1";

/* ---- what became of it ------------------------------------------------------------------- */

struct last {
	unsigned kind, code, n;
	struct status status;
	char tls[32], policy[32], proof[32], class[32], text[256];
};

static int note(void *arg, const struct event *e)
{
	struct last *l = arg;

	if (e->kind == EVENT_ACCEPTED)
		return 0;
	l->n++;
	l->kind = e->kind;
	l->code = e->o.code;
	l->status = e->o.status;
	(void)slice_copy(l->tls, sizeof(l->tls), e->o.tls);
	(void)slice_copy(l->policy, sizeof(l->policy), e->o.policy);
	(void)slice_copy(l->proof, sizeof(l->proof), e->o.proof);
	(void)slice_copy(l->class, sizeof(l->class), e->o.class);
	(void)slice_copy(l->text, sizeof(l->text), e->o.text);
	return 0;
}

static struct last last_outcome(struct world *w)
{
	struct spool *sp = engine_spool(w->engine);
	struct last l = { 0 };
	lsn_t next;

	assert_int_equal(spool_commit_now(sp), 0);
	assert_int_equal(spool_events(sp, spool_oldest(sp), UINT32_MAX, note, &l, &next), 0);
	return l;
}

static void assert_delivered(struct world *w, const char *tls, const char *policy,
			     const char *proof)
{
	struct last l = last_outcome(w);

	assert_int_equal(l.kind, OUTCOME_DELIVERED);
	assert_string_equal(l.tls, tls);
	assert_string_equal(l.policy, policy);
	assert_string_equal(l.proof, proof);
}

/* A deferral of its own class and status, and nothing of the message has left. */
static void assert_kept(struct world *w, const char *text)
{
	struct last l = last_outcome(w);

	assert_int_equal(l.kind, OUTCOME_DEFERRED);
	assert_true(status_eq(l.status, STATUS(4, 7, 5)));
	assert_string_equal(l.class, "tls-failure");
	if (!strstr(l.text, text))
		fail_msg("\"%s\" is not in \"%s\"", text, l.text);
	assert_int_equal(conn_sim_messages(), 0);
}

/* ---- DANE -------------------------------------------------------------------------------- */

static void sign_all(void)
{
	resolver_sim_set("one.test", DNS_MX, 1, "SECURE 10 mx1.test");
	resolver_sim_set("mx1.test", DNS_A, 1, "SECURE 127.0.1.1");
}

static void open_signed(struct world *w, const char *config, const char *script, const char *tlsa)
{
	world_open(w, config, script);
	sign_all();
	if (tlsa)
		resolver_sim_set("_25._tcp.mx1.test", DNS_TLSA, 1, tlsa);
	world_submit(w, one_rcpt, 1, DAY, "control", 1);
	world_run(w, 2 * SECOND);
}

static void a_signed_host_is_proved_by_its_key(void **state)
{
	struct world w;

	(void)state;
	open_signed(&w, CONFIG, WITH_TLS("key=" KEY), TLSA(KEY));
	assert_delivered(&w, "TLSv1.3", "dane", "dane-ee");
	world_end(&w);
}

static void no_step_back_from_dane_gets_the_message(void **state)
{
	static const struct {
		const char *script, *text;
	} rows[] = {
		{ "say 220 mx.test\nserve\n", "TLS must be used" },
		{ "say 220 mx.test\nreply EHLO 500 what\nserve\n", "TLS must be used" },
		{ "say 220 mx.test\nexpect EHLO\nraw 250-mx.test\\r\\n250 STARTTLS\\r\\n\nexpect "
		  "STARTTLS\nsay 454 no\n",
		  "TLS must be used" },
		{ "say 220 mx.test\nexpect EHLO\nraw 250-mx.test\\r\\n250 STARTTLS\\r\\n\nexpect "
		  "STARTTLS\nsay 220 go\n"
		  "tls-fail\n",
		  "TLS failed" },
		{ WITH_TLS("ca=mx1.test"), "no record matches" },
		{ WITH_TLS("ca=mx1.test key=" OTHER), "no record matches" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w;
		open_signed(&w, CONFIG, rows[i].script, TLSA(KEY));
		assert_kept(&w, rows[i].text);
		/* It is not tried again in the clear either. */
		world_run(&w, 12 * HOUR);
		assert_kept(&w, rows[i].text);
		world_end(&w);
	}
}

static void dns_that_cannot_tell_keeps_the_message(void **state)
{
	struct world w;

	(void)state;
	open_signed(&w, CONFIG, WITH_TLS("key=" KEY), "TEMP");
	assert_kept(&w, "no secure answer about the TLSA records");
	assert_int_equal(conn_sim_opened(), 0);
	resolver_sim_set("_25._tcp.mx1.test", DNS_TLSA, 1, TLSA(KEY));
	world_run(&w, 2 * HOUR);
	assert_delivered(&w, "TLSv1.3", "dane", "dane-ee");
	world_end(&w);
}

static void records_of_zones_that_are_not_signed_count_for_nothing(void **state)
{
	static const struct {
		const char *mx, *a, *tlsa;
	} rows[] = {
		{ "10 mx1.test", "SECURE 127.0.1.1", TLSA(OTHER) },
		{ "SECURE 10 mx1.test", "127.0.1.1", TLSA(OTHER) },
		{ "SECURE 10 mx1.test", "SECURE 127.0.1.1", "\3\1\1" OTHER },
		{ "SECURE 10 mx1.test", "SECURE 127.0.1.1", "SECURE NXDOMAIN" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w;
		world_open(&w, CONFIG, WITH_TLS("key=" KEY));
		resolver_sim_set("one.test", DNS_MX, 1, rows[i].mx);
		resolver_sim_set("mx1.test", DNS_A, 1, rows[i].a);
		resolver_sim_set("_25._tcp.mx1.test", DNS_TLSA, 1, rows[i].tlsa);
		world_submit(&w, one_rcpt, 1, DAY, "control", 1);
		world_run(&w, 2 * SECOND);
		assert_delivered(&w, "TLSv1.3", "may", "");
		world_end(&w);
	}
}

static void unusable_records_still_forbid_clear_text(void **state)
{
	struct world w;

	(void)state;
	open_signed(&w, CONFIG, WITH_TLS(""), "SECURE \1\1\1" KEY);
	assert_delivered(&w, "TLSv1.3", "dane", "");
	world_end(&w);
	open_signed(&w, CONFIG, decent, "SECURE \1\1\1" KEY);
	assert_kept(&w, "TLS must be used");
	world_end(&w);
	open_signed(&w, CONFIG "smtp.tls = dane-only\n", WITH_TLS(""), "SECURE \1\1\1" KEY);
	assert_kept(&w, "no usable TLSA records");
	world_end(&w);
}

static void an_alias_is_looked_up_at_its_end_then_at_its_name(void **state)
{
	struct world w;

	(void)state;
	for (int at_name = 0; at_name < 3; at_name++) {
		world_open(&w, CONFIG, WITH_TLS("key=" KEY));
		resolver_sim_set("one.test", DNS_MX, 1, "SECURE 10 alias.test");
		resolver_sim_set("alias.test", DNS_CNAME, 1, "SECURE real.test");
		/* 2: only the alias is signed. */
		resolver_sim_set("real.test", DNS_A, 1,
				 at_name == 2 ? "127.0.1.1" : "SECURE 127.0.1.1");
		resolver_sim_set(at_name ? "_25._tcp.alias.test" : "_25._tcp.real.test", DNS_TLSA,
				 1, TLSA(KEY));
		world_submit(&w, one_rcpt, 1, DAY, "control", 1);
		world_run(&w, 2 * SECOND);
		assert_delivered(&w, "TLSv1.3", "dane", "dane-ee");
		world_end(&w);
	}
}

static void a_key_is_rolled_without_a_pause_and_without_a_gap(void **state)
{
	struct world w;

	(void)state;
	open_signed(&w, CONFIG, WITH_TLS("key=" KEY),
		    TLSA(KEY) ","
			      "\3\1\1" OTHER);
	assert_delivered(&w, "TLSv1.3", "dane", "dane-ee");
	world_host(at_one, WITH_TLS("key=" OTHER));
	world_run(&w, HOUR);
	resolver_sim_set("_25._tcp.mx1.test", DNS_TLSA, 1, TLSA(OTHER));
	world_submit(&w, one_rcpt, 1, DAY, "control", 2);
	world_run(&w, MINUTE);
	assert_int_equal(conn_sim_messages(), 2);
	assert_delivered(&w, "TLSv1.3", "dane", "dane-ee");
	/* The old key is back, from whoever has it: it is refused. */
	world_host(at_one, WITH_TLS("key=" KEY));
	world_submit(&w, one_rcpt, 1, DAY, "control", 3);
	world_run(&w, HOUR);
	assert_int_equal(conn_sim_messages(), 2);
	assert_int_equal(last_outcome(&w).kind, OUTCOME_DEFERRED);
	world_end(&w);
}

/* Domains with the same hosts share connections only where they need the same of them. */
static void connections_are_not_shared_across_policies(void **state)
{
	struct world w;

	(void)state;
	open_signed(&w, CONFIG "site.idle = 5m\n", WITH_TLS("key=" KEY), TLSA(KEY));
	assert_int_equal(conn_sim_opened(), 1);
	resolver_sim_set("two.test", DNS_MX, 1, "10 mx1.test"); /* not signed */
	world_submit(&w, two_rcpt, 1, DAY, "control", 2);
	world_run(&w, SECOND);
	assert_delivered(&w, "TLSv1.3", "may", "");
	assert_int_equal(conn_sim_opened(), 2);
	world_submit(&w, one_rcpt, 1, DAY, "control", 3);
	world_run(&w, SECOND);
	assert_delivered(&w, "TLSv1.3", "dane", "dane-ee");
	assert_int_equal(conn_sim_opened(), 2);
	world_end(&w);
}

/* ---- MTA-STS ------------------------------------------------------------------------------ */

#define STS_CONFIG CONFIG "mta_sts.allow = 127.0.0.0/8\n"
#define POLICY(mode, mx) "version: STSv1\nmode: " mode "\nmx: " mx "\nmax_age: 604800\n"

static void publish(const char *id, const char *policy)
{
	char record[64];

	(void)snprintf(record, sizeof(record), "v=STSv1; id=%s;", id);
	resolver_sim_set("_mta-sts.one.test", DNS_TXT, 1, record);
	resolver_sim_set("mta-sts.one.test", DNS_A, 1, "127.0.9.9");
	fetch_sim_set("mta-sts.one.test", FETCH_OK, 200, true, policy);
}

static void open_sts(struct world *w, const char *config, const char *script, const char *policy)
{
	world_open(w, config, script);
	resolver_sim_set("one.test", DNS_MX, 1, "10 mx1.test");
	resolver_sim_set("mx1.test", DNS_A, 1, "127.0.1.1");
	publish("1", policy);
	world_submit(w, one_rcpt, 1, DAY, "control", 1);
	world_run(w, 2 * SECOND);
}

static void an_enforced_policy_wants_a_valid_certificate_of_a_named_host(void **state)
{
	static const struct {
		const char *script, *policy, *kept; /* NULL: delivered */
	} rows[] = {
		{ WITH_TLS("ca=mx1.test"), POLICY("enforce", "mx1.test"), NULL },
		{ WITH_TLS("ca=mx1.test"), POLICY("enforce", "*.test"), NULL },
		{ WITH_TLS("ca=mx1.test"), POLICY("enforce", "mx2.test"),
		  "does not name the host" },
		{ WITH_TLS("ca=one.test"), POLICY("enforce", "mx1.test"), "other name" },
		{ WITH_TLS("ca=mx1.test expired"), POLICY("enforce", "mx1.test"), "expired" },
		{ WITH_TLS(""), POLICY("enforce", "mx1.test"), "untrusted" },
		{ decent, POLICY("enforce", "mx1.test"), "TLS must be used" },
		{ "say 220 mx.test\nreply EHLO 500 what\nserve\n", POLICY("enforce", "mx1.test"),
		  "TLS must be used" },
		{ "say 220 mx.test\nexpect EHLO\nraw 250-mx.test\\r\\n250 "
		  "STARTTLS\\r\\n\nexpect STARTTLS\nsay 220 go\ntls-fail\n",
		  POLICY("enforce", "mx1.test"), "TLS failed" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w;
		open_sts(&w, STS_CONFIG, rows[i].script, rows[i].policy);
		if (rows[i].kept) {
			world_run(&w, 6 * HOUR);
			assert_kept(&w, rows[i].kept);
		} else {
			assert_delivered(&w, "TLSv1.3", "mta-sts", "chain");
		}
		assert_int_equal(fetch_sim_asked(), 1);
		world_end(&w);
	}
}

static void a_policy_in_testing_changes_nothing_but_what_is_said(void **state)
{
	struct world w;

	(void)state;
	open_sts(&w, STS_CONFIG, WITH_TLS(""), POLICY("testing", "mx2.test"));
	assert_delivered(&w, "TLSv1.3", "mta-sts-testing", "");
	world_end(&w);
	open_sts(&w, STS_CONFIG, WITH_TLS("ca=mx1.test"), POLICY("testing", "mx1.test"));
	assert_delivered(&w, "TLSv1.3", "mta-sts-testing", "chain");
	world_end(&w);
	open_sts(&w, STS_CONFIG, decent, POLICY("testing", "mx1.test"));
	assert_delivered(&w, "", "mta-sts-testing", "");
	world_end(&w);
	open_sts(&w, STS_CONFIG, decent, POLICY("none", "mx1.test"));
	assert_delivered(&w, "", "may", "");
	world_end(&w);
}

/* RFC 8461 section 10.2: who takes the record away gains nothing until max_age is over. */
static void a_policy_is_kept_when_its_record_goes_and_over_a_restart(void **state)
{
	static const char *const gone[] = { "NXDOMAIN", "TEMP", "v=spf1 -all", "v=STSv1; id=" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(gone); i++) {
		struct world w;
		open_sts(&w, STS_CONFIG, WITH_TLS("ca=mx1.test"), POLICY("enforce", "mx1.test"));
		assert_delivered(&w, "TLSv1.3", "mta-sts", "chain");
		resolver_sim_set("_mta-sts.one.test", DNS_TXT, 1, gone[i]);
		fetch_sim_set("mta-sts.one.test", FETCH_FAILED, 0, false, "");
		if (i % 2)
			world_restart(&w);
		world_host(at_one, decent);
		world_submit(&w, one_rcpt, 1, 20 * DAY, "control", 2);
		world_run(&w, 5 * DAY);
		assert_int_equal(conn_sim_messages(), 1);
		assert_int_equal(last_outcome(&w).kind, OUTCOME_DEFERRED);
		world_run(&w, 3 * DAY);
		assert_int_equal(conn_sim_messages(), 2);
		assert_delivered(&w, "", "may", "");
		world_end(&w);
	}
}

static void a_policy_with_another_id_is_fetched_and_holds(void **state)
{
	struct world w;

	(void)state;
	open_sts(&w, STS_CONFIG "site.idle = 5m\n", WITH_TLS("ca=mx1.test"),
		 POLICY("testing", "mx1.test"));
	assert_delivered(&w, "TLSv1.3", "mta-sts-testing", "chain");
	publish("2", POLICY("enforce", "mx1.test"));
	world_run(&w, HOUR);
	/* The first finds the new id, and the next what was fetched for it; what is known serves
	 * meanwhile. */
	for (unsigned k = 2; k < 5; k++) {
		world_submit(&w, one_rcpt, 1, DAY, "control", k);
		world_run(&w, 2 * MINUTE);
	}
	assert_int_equal(fetch_sim_asked(), 2);
	assert_int_equal(conn_sim_messages(), 4);
	assert_delivered(&w, "TLSv1.3", "mta-sts", "chain");
	world_end(&w);
}

static void what_is_no_policy_is_none_and_is_asked_for_again_later(void **state)
{
	static const struct {
		enum fetch_fault fault;
		unsigned status;
		bool text;
		const char *body;
	} rows[] = {
		{ FETCH_FAILED, 0, false, "" },
		{ FETCH_CERTIFICATE, 0, false, "" },
		{ FETCH_OK, 404, true, POLICY("enforce", "mx2.test") },
		{ FETCH_OK, 301, true, POLICY("enforce", "mx2.test") },
		{ FETCH_OK, 200, false, POLICY("enforce", "mx2.test") },
		{ FETCH_OK, 200, true, "<html>\n" },
		{ FETCH_OK, 200, true, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w;
		world_open(&w, STS_CONFIG, decent);
		publish("1", "");
		fetch_sim_set("mta-sts.one.test", rows[i].fault, rows[i].status, rows[i].text,
			      rows[i].body);
		for (unsigned k = 1; k < 4; k++) {
			world_submit(&w, one_rcpt, 1, DAY, "control", k);
			world_run(&w, MINUTE);
		}
		assert_int_equal(conn_sim_messages(), 3);
		assert_delivered(&w, "", "may", "");
		assert_int_equal(fetch_sim_asked(), 1);
		assert_int_equal(COUNTER(&w, sts_failures), 1);
		world_run(&w, 10 * MINUTE);
		world_submit(&w, one_rcpt, 1, DAY, "control", 4);
		world_run(&w, MINUTE);
		assert_int_equal(fetch_sim_asked(), 2);
		world_end(&w);
	}
}

static void no_request_goes_to_private_addresses(void **state)
{
	struct world w;

	(void)state;
	open_sts(&w, CONFIG, decent, POLICY("enforce", "mx1.test"));
	assert_int_equal(fetch_sim_asked(), 0);
	assert_delivered(&w, "", "may", "");
	world_end(&w);
}

/* RFC 8461 section 2: DANE is not overridden, in either direction. */
static void dane_goes_before_mta_sts(void **state)
{
	struct world w;

	(void)state;
	for (int good = 0; good < 2; good++) {
		world_open(&w, STS_CONFIG, good ? WITH_TLS("key=" KEY) : WITH_TLS("ca=mx1.test"));
		sign_all();
		resolver_sim_set("_25._tcp.mx1.test", DNS_TLSA, 1, TLSA(KEY));
		publish("1", POLICY("enforce", "mx1.test"));
		world_submit(&w, one_rcpt, 1, DAY, "control", 1);
		world_run(&w, 2 * SECOND);
		if (good)
			assert_delivered(&w, "TLSv1.3", "dane", "dane-ee");
		else
			assert_kept(&w, "no record matches");
		world_end(&w);
	}
}

/* ---- what the message asks for ------------------------------------------------------------ */

#define OFFERS(certificate)                                                                        \
	"say 220 mx.test\nexpect EHLO\nraw 250-mx.test\\r\\n250 STARTTLS\\r\\n\nexpect STARTTLS\n" \
	"say 220 go\ntls " certificate "\n"                                                        \
	"reply EHLO 250-mx.test\\r\\n250 REQUIRETLS\nserve\n"

static void submit_requiring(struct world *w, uint64_t campaign)
{
	w->require_tls = true;
	world_submit(w, one_rcpt, 1, DAY, "control", campaign);
	w->require_tls = false;
}

static void requiretls_goes_where_the_host_is_proved_and_offers_it(void **state)
{
	struct world w;

	(void)state;
	for (int how = 0; how < 3; how++) {
		world_open(&w, STS_CONFIG, how == 1 ? OFFERS("key=" KEY) : OFFERS("ca=mx1.test"));
		if (how < 2)
			sign_all();
		else
			resolver_sim_set("one.test", DNS_MX, 1, "10 mx1.test");
		resolver_sim_set("mx1.test", DNS_A, 1, how < 2 ? "SECURE 127.0.1.1" : "127.0.1.1");
		if (how == 1)
			resolver_sim_set("_25._tcp.mx1.test", DNS_TLSA, 1, TLSA(KEY));
		if (how == 2)
			publish("1", POLICY("testing", "mx1.test"));
		submit_requiring(&w, 1);
		world_run(&w, 5 * SECOND);
		assert_delivered(&w, "TLSv1.3", "requiretls", how == 1 ? "dane-ee" : "chain");
		/* Others take their own way. */
		world_submit(&w, one_rcpt, 1, DAY, "control", 2);
		world_run(&w, 5 * SECOND);
		assert_true(strcmp(last_outcome(&w).policy, "requiretls") != 0);
		assert_int_equal(last_outcome(&w).kind, OUTCOME_DELIVERED);
		world_end(&w);
	}
}

static void requiretls_is_bounced_where_it_cannot_be_had(void **state)
{
	static const struct {
		const char *mx, *script;
		struct status status;
	} rows[] = {
		{ "SECURE 10 mx1.test", WITH_TLS("ca=mx1.test"), { 5, 7, 30 } },
		{ "SECURE 10 mx1.test", OFFERS(""), { 5, 7, 10 } },
		{ "SECURE 10 mx1.test", decent, { 5, 7, 10 } },
		{ "10 mx1.test", OFFERS("ca=mx1.test"), { 5, 7, 10 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w;
		struct last l;
		world_open(&w, CONFIG, rows[i].script);
		resolver_sim_set("one.test", DNS_MX, 1, rows[i].mx);
		resolver_sim_set("mx1.test", DNS_A, 1, "SECURE 127.0.1.1");
		submit_requiring(&w, 1);
		world_run(&w, 10 * MINUTE);
		l = last_outcome(&w);
		assert_int_equal(l.kind, OUTCOME_BOUNCED);
		assert_true(status_eq(l.status, rows[i].status));
		assert_string_equal(l.class, "tls-failure");
		assert_int_equal(conn_sim_messages(), 0);
		/* The domain's other mail does not suffer. */
		world_submit(&w, one_rcpt, 1, DAY, "control", 2);
		world_run(&w, 10 * MINUTE);
		assert_int_equal(conn_sim_messages(), 1);
		world_end(&w);
	}
}

static void requiretls_waits_for_a_host_that_is_only_out_of_reach(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG, refuses);
	sign_all();
	submit_requiring(&w, 1);
	world_run(&w, HOUR);
	assert_int_equal(last_outcome(&w).kind, OUTCOME_DEFERRED);
	world_host(at_one, OFFERS("ca=mx1.test"));
	world_run(&w, 3 * HOUR);
	assert_delivered(&w, "TLSv1.3", "requiretls", "chain");
	world_end(&w);
}

static void a_message_may_waive_the_policy_of_a_domain(void **state)
{
	static const struct {
		const char *head, *config;
		bool goes;
	} rows[] = {
		{ "TLS-Required: No\r\n", STS_CONFIG, true },
		{ "tls-required:no\r\n", STS_CONFIG, true },
		{ "TLS-Required: Yes\r\n", STS_CONFIG, false },
		{ "X-TLS-Required: No\r\n", STS_CONFIG, false },
		{ "", STS_CONFIG, false },
		{ "TLS-Required: No\r\n", STS_CONFIG "smtp.tls = verify\n", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w;
		world_open(&w, rows[i].config, decent);
		resolver_sim_set("one.test", DNS_MX, 1, "10 mx1.test");
		resolver_sim_set("mx1.test", DNS_A, 1, "127.0.1.1");
		publish("1", POLICY("enforce", "mx1.test"));
		w.head = rows[i].head;
		world_submit(&w, one_rcpt, 1, DAY, "control", 1);
		world_run(&w, 10 * MINUTE);
		if (rows[i].goes)
			assert_delivered(&w, "", "tls-optional", "");
		else
			assert_kept(&w, "TLS must be used");
		world_end(&w);
	}
}

/* ---- what the operator insists on -------------------------------------------------------- */

static void words_of_the_operator_hold_for_every_host(void **state)
{
	static const struct {
		const char *config, *script, *tls, *policy, *proof;
	} rows[] = {
		{ CONFIG, decent, "", "may", "" },
		{ CONFIG "smtp.tls = never\n", decent, "", "never", "" },
		{ CONFIG "smtp.tls = must\n", WITH_TLS(""), "TLSv1.3", "encrypt", "" },
		{ CONFIG "smtp.tls = encrypt\n", WITH_TLS(""), "TLSv1.3", "encrypt", "" },
		{ CONFIG "smtp.tls = verify\n", WITH_TLS("ca=mx1.test"), "TLSv1.3", "verify",
		  "chain" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w;
		world_open(&w, rows[i].config, rows[i].script);
		resolver_sim_set("one.test", DNS_MX, 1, "10 mx1.test");
		resolver_sim_set("mx1.test", DNS_A, 1, "127.0.1.1");
		world_submit(&w, one_rcpt, 1, DAY, "control", 1);
		world_run(&w, 2 * SECOND);
		assert_delivered(&w, rows[i].tls, rows[i].policy, rows[i].proof);
		world_end(&w);
	}
}

static void a_host_that_falls_short_of_the_words_gets_nothing(void **state)
{
	static const struct {
		const char *config, *script, *text;
	} rows[] = {
		{ CONFIG "smtp.tls = encrypt\n", decent, "TLS must be used" },
		{ CONFIG "smtp.tls = verify\n", decent, "TLS must be used" },
		{ CONFIG "smtp.tls = verify\n", WITH_TLS(""), "untrusted" },
		{ CONFIG "smtp.tls = verify\n", WITH_TLS("ca=one.test"), "other name" },
		{ CONFIG "smtp.tls = verify\n", WITH_TLS("ca=mx1.test expired"), "expired" },
		{ CONFIG "smtp.tls = dane-only\n", WITH_TLS("ca=mx1.test"), "no usable TLSA" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w;
		world_open(&w, rows[i].config, rows[i].script);
		resolver_sim_set("one.test", DNS_MX, 1, "10 mx1.test");
		resolver_sim_set("mx1.test", DNS_A, 1, "127.0.1.1");
		world_submit(&w, one_rcpt, 1, DAY, "control", 1);
		world_run(&w, 6 * HOUR);
		assert_kept(&w, rows[i].text);
		world_end(&w);
	}
}

/* What a host owes to one domain's policy is no reason to leave it alone for the others. */
static void a_host_that_falls_short_for_one_domain_serves_the_others(void **state)
{
	struct world w;

	(void)state;
	open_signed(&w, CONFIG, WITH_TLS("key=" OTHER), TLSA(KEY));
	assert_kept(&w, "no record matches");
	resolver_sim_set("two.test", DNS_MX, 1, "10 mx9.test"); /* not signed, the same address */
	resolver_sim_set("mx9.test", DNS_A, 1, "127.0.1.1");
	world_submit(&w, two_rcpt, 1, DAY, "control", 2);
	world_run(&w, SECOND);
	assert_delivered(&w, "TLSv1.3", "may", "");
	world_end(&w);
}

/* A word may hold for one domain by an order, and ends what was opened under another. */
static void an_order_about_a_domain_holds_at_once(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG "site.idle = 5m\n", decent);
	world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	world_run(&w, SECOND);
	assert_delivered(&w, "", "may", "");
	world_rule(&w, "shape/domain one.test/tls", "encrypt\nann");
	world_submit(&w, one_rcpt, 1, DAY, "control", 2);
	world_run(&w, MINUTE);
	assert_int_equal(conn_sim_messages(), 1);
	assert_int_equal(last_outcome(&w).kind, OUTCOME_DEFERRED);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signed_host_is_proved_by_its_key),
		cmocka_unit_test(no_step_back_from_dane_gets_the_message),
		cmocka_unit_test(dns_that_cannot_tell_keeps_the_message),
		cmocka_unit_test(records_of_zones_that_are_not_signed_count_for_nothing),
		cmocka_unit_test(unusable_records_still_forbid_clear_text),
		cmocka_unit_test(an_alias_is_looked_up_at_its_end_then_at_its_name),
		cmocka_unit_test(a_key_is_rolled_without_a_pause_and_without_a_gap),
		cmocka_unit_test(connections_are_not_shared_across_policies),
		cmocka_unit_test(an_enforced_policy_wants_a_valid_certificate_of_a_named_host),
		cmocka_unit_test(a_policy_in_testing_changes_nothing_but_what_is_said),
		cmocka_unit_test(a_policy_is_kept_when_its_record_goes_and_over_a_restart),
		cmocka_unit_test(a_policy_with_another_id_is_fetched_and_holds),
		cmocka_unit_test(what_is_no_policy_is_none_and_is_asked_for_again_later),
		cmocka_unit_test(no_request_goes_to_private_addresses),
		cmocka_unit_test(dane_goes_before_mta_sts),
		cmocka_unit_test(requiretls_goes_where_the_host_is_proved_and_offers_it),
		cmocka_unit_test(requiretls_is_bounced_where_it_cannot_be_had),
		cmocka_unit_test(requiretls_waits_for_a_host_that_is_only_out_of_reach),
		cmocka_unit_test(a_message_may_waive_the_policy_of_a_domain),
		cmocka_unit_test(words_of_the_operator_hold_for_every_host),
		cmocka_unit_test(a_host_that_falls_short_of_the_words_gets_nothing),
		cmocka_unit_test(a_host_that_falls_short_for_one_domain_serves_the_others),
		cmocka_unit_test(an_order_about_a_domain_holds_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
