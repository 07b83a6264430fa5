/* Reports about TLS (RFC 8460): what sessions are counted as, and what becomes of the counts when
 * the day is over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/json.h"
#include "dkim/keydir.h"
#include "message/aggregate/aggregate.h"
#include "mta/tlsrpt/tlsrpt.h"
#include "tests/replay/engine_world.h"

#define KEY "0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210"
#define WITH_TLS(certificate)                                                                      \
	"say 220 mx.test\nexpect EHLO\nraw 250-mx.test\\r\\n250 STARTTLS\\r\\n\n"                  \
	"expect STARTTLS\nsay 220 go\ntls " certificate "\nserve\n"
#define BREAKS_TLS                                                                                 \
	"say 220 mx.test\nexpect EHLO\nraw 250-mx.test\\r\\n250 STARTTLS\\r\\n\n"                  \
	"expect STARTTLS\nsay 220 go\ntls-fail\n"
#define ON CONFIG "mta_sts.allow = 127.0.0.0/8\ntlsrpt.from = tls@out.test\n"
#define RUA "v=TLSRPTv1; rua=mailto:tls@rua.test,https://collect.test:8443/v1/tls"
#define POLICY(mode, mx) "version: STSv1\nmode: " mode "\nmx: " mx "\nmax_age: 604800\n"

struct desk {
	struct world w;
	char dir[64], config[512];
};

static void open_desk(struct desk *d, const char *options, const char *script)
{
	struct buf pem = { 0 }, txt = { 0 };

	*d = (struct desk){ 0 };
	(void)snprintf(d->dir, sizeof(d->dir), "/tmp/postern-tlsrpt.XXXXXX");
	assert_non_null(mkdtemp(d->dir));
	(void)snprintf(d->config, sizeof(d->config), "%skeys.dir = %s\n", options, d->dir);
	assert_int_equal(sign_key_generate(SIGN_ED25519, &pem, &txt), 0);
	assert_int_equal(keydir_store(d->dir, SLICE("out.test"), SLICE("one"), buf_data(&pem)), 0);
	buf_free(&pem);
	buf_free(&txt);
	world_open(&d->w, d->config, script);
	resolver_sim_set("_smtp._tls.one.test", DNS_TXT, 1, RUA);
	resolver_sim_set("one.test", DNS_MX, 1, "SECURE 10 mx1.test");
	resolver_sim_set("mx1.test", DNS_A, 1, "SECURE 127.0.1.1");
	resolver_sim_set("collect.test", DNS_A, 1, "127.0.9.9");
	fetch_sim_set("collect.test", FETCH_OK, 201, false, "");
	resolver_sim_set("rua.test", DNS_MX, 1, "SECURE 10 mx.rua.test");
	resolver_sim_set("mx.rua.test", DNS_A, 1, "SECURE 127.0.1.3");
	world_host("127.0.1.3", decent);
}

static void drop_keys(struct desk *d)
{
	char path[128];

	assert_int_equal(keydir_remove(d->dir, SLICE("out.test"), SLICE("one")), 0);
	(void)snprintf(path, sizeof(path), "%s/out.test", d->dir);
	(void)rmdir(path);
}

static void close_desk(struct desk *d)
{
	world_end(&d->w);
	drop_keys(d);
	assert_int_equal(rmdir(d->dir), 0);
}

static void send_one(struct desk *d, uint64_t campaign, int64_t ms)
{
	world_submit(&d->w, one_rcpt, 1, 10 * DAY, "control", campaign);
	world_run(&d->w, ms);
}

/* JSON without the blanks between its parts. */
static void close_up(struct buf *json)
{
	struct slice in = buf_data(json);
	struct buf out = { 0 };

	for (size_t i = 0; i < in.n; i++)
		if (in.p[i] != ' ' || i < 2 ||
		    !(in.p[i - 1] == ',' || (in.p[i - 1] == ':' && in.p[i - 2] == '"')))
			buf_put(&out, slice_of(in.p + i, 1));
	buf_free(json);
	*json = out;
}

/* What is shown of a domain, as JSON. */
static void shown(struct desk *d, const char *domain, struct buf *out)
{
	OWNED(tree) t = tree_new();

	results_show(tlsrpt_results(d->w.engine), slice_str(domain), tree_map(t));
	buf_clear(out);
	assert_int_equal(json_put(out, tree_value(t)), 0);
	close_up(out);
}

static void assert_has(struct buf *text, const char *what)
{
	if (!strstr(buf_cstr(text), what))
		fail_msg("%s is not in %s", what, buf_cstr(text));
}

static void assert_shows(struct desk *d, const char *what)
{
	struct buf text = { 0 };

	shown(d, "one.test", &text);
	assert_has(&text, what);
	buf_free(&text);
}

static unsigned shown_times(struct desk *d, const char *what)
{
	struct buf text = { 0 };
	unsigned n = 0;

	shown(d, "one.test", &text);
	for (const char *p = buf_cstr(&text); (p = strstr(p, what)) != NULL; p++)
		n++;
	buf_free(&text);
	return n;
}

/* To the next midnight in UTC, and `ms` on. */
static void to_next_day(struct desk *d, int64_t ms)
{
	world_run(&d->w, DAY - clock_wall_ms() % DAY + ms);
}

/* ---- what is counted --------------------------------------------------------------------- */

#define SUMS(good, bad)                                                                            \
	"\"total-successful-session-count\":" good ",\"total-failure-session-count\":" bad

static void a_session_is_counted_as_what_it_came_to(void **state)
{
	static const struct {
		const char *script, *tlsa, *sts, *policy, *sums, *result;
	} rows[] = {
		{ WITH_TLS(""), NULL, NULL, "no-policy-found", SUMS("1", "0"), NULL },
		{ decent, NULL, NULL, "no-policy-found", SUMS("0", "1"), "starttls-not-supported" },
		{ WITH_TLS("key=" KEY), "\3\1\1" KEY, NULL, "tlsa", SUMS("1", "0"), NULL },
		{ WITH_TLS("key=" KEY), "\3\1\1" OTHER, NULL, "tlsa", SUMS("0", "1"),
		  "validation-failure" },
		{ decent, "\3\1\1" KEY, NULL, "tlsa", SUMS("0", "1"), "starttls-not-supported" },
		{ BREAKS_TLS, "\3\1\1" KEY, NULL, "tlsa", SUMS("0", "1"), "validation-failure" },
		{ WITH_TLS(""), "\1\1\1" KEY, NULL, "tlsa", SUMS("0", "1"), "tlsa-invalid" },
		{ WITH_TLS(""), "TEMP", NULL, "tlsa", SUMS("0", "1"), "dnssec-invalid" },
		{ WITH_TLS("ca=mx1.test"), NULL, POLICY("enforce", "mx1.test"), "sts",
		  SUMS("1", "0"), NULL },
		{ WITH_TLS("ca=mx1.test expired"), NULL, POLICY("enforce", "mx1.test"), "sts",
		  SUMS("0", "1"), "certificate-expired" },
		{ WITH_TLS("ca=mx2.test"), NULL, POLICY("enforce", "mx1.test"), "sts",
		  SUMS("0", "1"), "certificate-host-mismatch" },
		{ WITH_TLS(""), NULL, POLICY("enforce", "mx1.test"), "sts", SUMS("0", "1"),
		  "certificate-not-trusted" },
		{ WITH_TLS(""), NULL, POLICY("enforce", "mx2.test"), "sts", SUMS("0", "1"),
		  "validation-failure" },
		{ WITH_TLS(""), NULL, POLICY("testing", "mx1.test"), "sts", SUMS("0", "1"),
		  "certificate-not-trusted" },
		{ WITH_TLS("ca=mx1.test"), NULL, POLICY("testing", "mx2.test"), "sts",
		  SUMS("0", "1"), "validation-failure" },
		{ decent, NULL, POLICY("testing", "mx1.test"), "sts", SUMS("0", "1"),
		  "starttls-not-supported" },
		{ WITH_TLS(""), NULL, "nonsense", "sts", SUMS("0", "1"), "sts-policy-invalid" },
		{ WITH_TLS(""), NULL, "nonsense", "no-policy-found", SUMS("1", "0"), NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[256];
		struct desk d;
		open_desk(&d, ON, rows[i].script);
		if (rows[i].tlsa) {
			(void)snprintf(text, sizeof(text), "%s%s",
				       strcmp(rows[i].tlsa, "TEMP") ? "SECURE " : "", rows[i].tlsa);
			resolver_sim_set("_25._tcp.mx1.test", DNS_TLSA, 1, text);
		}
		if (rows[i].sts) {
			resolver_sim_set("_mta-sts.one.test", DNS_TXT, 1, "v=STSv1; id=1");
			resolver_sim_set("mta-sts.one.test", DNS_A, 1, "127.0.9.8");
			fetch_sim_set("mta-sts.one.test", FETCH_OK, 200, true, rows[i].sts);
		}
		send_one(&d, 1, 2 * SECOND);
		(void)snprintf(text, sizeof(text), "{\"policy\":{\"policy-type\":\"%s\"",
			       rows[i].policy);
		assert_shows(&d, text);
		assert_shows(&d, rows[i].sums);
		if (rows[i].result) {
			(void)snprintf(text, sizeof(text), "{\"result-type\":\"%s\"",
				       rows[i].result);
			assert_shows(&d, text);
		} else if (strcmp(rows[i].policy, "sts") == 0) {
			assert_int_equal(shown_times(&d, "result-type"), 0);
		}
		close_desk(&d);
	}
}

/* RFC 8460 section 4.4: the policy as it was, its hosts, and where the session came from and went
 * to. */
static void a_failure_says_whose_policy_where_and_why(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, ON, WITH_TLS(""));
	resolver_sim_set("_mta-sts.one.test", DNS_TXT, 1, "v=STSv1; id=1");
	resolver_sim_set("mta-sts.one.test", DNS_A, 1, "127.0.9.8");
	fetch_sim_set("mta-sts.one.test", FETCH_OK, 200, true, POLICY("enforce", "*.test"));
	send_one(&d, 1, 2 * SECOND);
	assert_shows(
	    &d, "\"policy-string\":[\"version: STSv1\",\"mode: enforce\",\"mx: *.test\","
		"\"max_age: 604800\"],\"policy-domain\":\"one.test\",\"mx-host\":[\"*.test\"]");
	assert_shows(&d, "\"receiving-mx-hostname\":\"mx1.test\",\"receiving-ip\":\"127.0.1.1\","
			 "\"failed-session-count\":1");
	assert_int_equal(COUNTER(&d.w, tls_report_sessions), 1);
	close_desk(&d);
}

/* A handshake that failed is one session; that it went on in the clear is not another failure. */
static void the_second_try_in_the_clear_is_not_counted(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, ON, BREAKS_TLS);
	send_one(&d, 1, SECOND);
	assert_int_equal(conn_sim_opened(), 2);
	/* The script wanted STARTTLS a second time, and got the envelope. */
	assert_non_null(strstr(conn_sim_mistake(), "MAIL"));
	assert_shows(&d, SUMS("0", "1"));
	assert_shows(&d, "\"result-type\":\"validation-failure\"");
	close_desk(&d);
}

static void nothing_is_counted_where_no_report_is_wanted_or_made(void **state)
{
	static const struct {
		const char *options, *record;
	} rows[] = {
		{ CONFIG, RUA },
		{ ON, "NXDOMAIN" },
		{ ON, "TEMP" },
		{ ON, "v=TLSRPTv1; rua=ftp://x.test/" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct desk d;
		open_desk(&d, rows[i].options, decent);
		resolver_sim_set("_smtp._tls.one.test", DNS_TXT, 1, rows[i].record);
		send_one(&d, 1, 2 * SECOND);
		assert_int_equal(conn_sim_messages(), 1);
		assert_int_equal(COUNTER(&d.w, tls_report_sessions), 0);
		to_next_day(&d, 6 * HOUR);
		assert_int_equal(conn_sim_messages(), 1);
		close_desk(&d);
	}
}

/* ---- the day is over --------------------------------------------------------------------- */

/* The report in the last message that came, unpacked. */
static void report_of(struct slice m, struct buf *json)
{
	struct buf text = { 0 }, packed = { 0 };
	const char *at = memmem(m.p, m.n, "application/tlsrpt+gzip", 23), *end;

	assert_non_null(at);
	at = strstr(at, "\r\n\r\n") + 4;
	end = strstr(at, "--=_");
	for (; at < end; at++)
		if (*at != '\r' && *at != '\n')
			buf_put(&text, slice_of(at, 1));
	assert_int_equal(base64_decode(&packed, buf_data(&text)), 0);
	buf_clear(json);
	assert_int_equal(aggregate_unpack(buf_data(&packed), json), 0);
	buf_free(&text);
	buf_free(&packed);
}

static void assert_reads(struct slice attachment, const char *what)
{
	struct buf json = { 0 }, identity = { 0 };

	assert_int_equal(aggregate_read(attachment, &json, &identity), AGGREGATE_TLSRPT);
	close_up(&json);
	assert_has(&json, what);
	buf_free(&json);
	buf_free(&identity);
}

static void the_day_s_counts_are_reported_by_mail_and_https(void **state)
{
	struct buf json = { 0 };
	struct slice m;
	struct desk d;

	(void)state;
	open_desk(&d, ON "tlsrpt.organisation = Sender Inc.\n", WITH_TLS(""));
	for (unsigned i = 1; i <= 3; i++)
		send_one(&d, i, 10 * SECOND);
	world_host("127.0.1.1", decent);
	send_one(&d, 4, 10 * SECOND);
	assert_int_equal(conn_sim_messages(), 4);
	to_next_day(&d, 0);
	assert_int_equal(conn_sim_messages(), 4); /* not at midnight */
	world_run(&d.w, 4 * HOUR + 5 * MINUTE);
	assert_int_equal(conn_sim_messages(), 5);
	assert_int_equal(COUNTER(&d.w, tls_reports_mailed), 1);
	assert_int_equal(COUNTER(&d.w, tls_reports_posted), 1);
	/* Both are the same report, which our own reader takes. */
	assert_reads(fetch_sim_upload(), "\"success\":3,\"failure\":1");
	m = conn_sim_message(4);
	report_of(m, &json);
	assert_reads(buf_data(&json), "\"org\":\"Sender Inc.\",\"contact\":\"tls@out.test\"");
	close_up(&json);
	assert_has(&json, "\"result-type\":\"starttls-not-supported\"");
	assert_has(&json, "T00:00:00Z\",\"end-datetime\":\"");
	assert_has(&json, "T23:59:59Z\"");
	/* Section 5.3: signed, and its header says what it is. */
	assert_non_null(memmem(m.p, m.n, "DKIM-Signature:", 15));
	assert_non_null(memmem(m.p, m.n, " d=out.test", 11));
	assert_non_null(memmem(m.p, m.n, "\r\nTLS-Report-Domain: one.test\r\n", 31));
	assert_non_null(memmem(m.p, m.n, "\r\nTLS-Report-Submitter: out.test\r\n", 34));
	assert_non_null(memmem(m.p, m.n, "report-type=\"tlsrpt\"", 20));
	assert_shows(&d, "\"to\":\"mailto:tls@rua.test\",\"done\":true");
	assert_shows(&d, "\"to\":\"https://collect.test:8443/v1/tls\",\"done\":true");
	/* The next day begins with nothing, and nobody gets a report twice. */
	assert_int_equal(shown_times(&d, "policy-type"), 0);
	world_restart(&d.w);
	world_run(&d.w, 2 * DAY);
	assert_int_equal(conn_sim_messages(), 5);
	buf_free(&json);
	close_desk(&d);
}

static void a_restart_goes_on_counting_and_then_reports(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, ON, WITH_TLS(""));
	send_one(&d, 1, 10 * SECOND);
	world_restart(&d.w);
	send_one(&d, 2, 10 * SECOND);
	assert_shows(&d, SUMS("2", "0"));
	world_restart(&d.w);
	to_next_day(&d, MINUTE);
	world_restart(&d.w);
	world_run(&d.w, 5 * HOUR);
	assert_int_equal(COUNTER(&d.w, tls_reports_mailed), 1);
	assert_int_equal(conn_sim_messages(), 3);
	assert_reads(fetch_sim_upload(), "\"success\":2,\"failure\":0");
	close_desk(&d);
}

/* Section 3: "MUST deliver reports despite any TLS-related failures", and they are not counted. */
static void a_report_goes_whatever_the_policy_of_its_host_says(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, ON, WITH_TLS(""));
	resolver_sim_set("_25._tcp.mx.rua.test", DNS_TLSA, 1, "SECURE \3\1\1" KEY);
	resolver_sim_set("_smtp._tls.rua.test", DNS_TXT, 1, "v=TLSRPTv1; rua=mailto:x@two.test");
	send_one(&d, 1, 10 * SECOND);
	to_next_day(&d, 5 * HOUR);
	assert_int_equal(COUNTER(&d.w, tls_reports_mailed), 1);
	assert_int_equal(conn_sim_messages(), 2);
	/* One of mx1.test, one under the policy of rua.test before the report was seen to waive it;
	 * the session that took it is none of them. */
	assert_int_equal(COUNTER(&d.w, tls_report_sessions), 2);
	close_desk(&d);
}

/* Section 3: one without a signature "MUST be ignored", so it is not sent. */
static void a_report_that_nobody_signs_is_not_sent(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, CONFIG "tlsrpt.from = tls@unsigned.test\n", WITH_TLS(""));
	send_one(&d, 1, 10 * SECOND);
	to_next_day(&d, 30 * HOUR);
	assert_int_equal(conn_sim_messages(), 1);
	assert_int_equal(world_books(&d.w).queued, 0);
	close_desk(&d);
}

/* A message that nobody can sign is 4.7.5 like one that TLS fails, but no host's fault: it waits
 * for its next try, and does not go round. */
static void a_message_that_waives_and_that_nobody_signs_waits(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, CONFIG "keys.dir = /nonexistent\n", decent);
	w.head = "TLS-Required: No\r\n";
	w.sign_domain = SLICE("signed.test");
	world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	world_run(&w, 2 * HOUR);
	assert_int_equal(conn_sim_messages(), 0);
	assert_in_range(world_books(&w).deferred_attempts, 1, 5);
	world_end(&w);
}

static void what_is_not_taken_is_tried_again_for_a_day(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, ON, WITH_TLS(""));
	fetch_sim_set("collect.test", FETCH_OK, 500, false, "");
	send_one(&d, 1, 10 * SECOND);
	to_next_day(&d, 5 * HOUR);
	assert_int_equal(COUNTER(&d.w, tls_reports_mailed), 1);
	assert_true(COUNTER(&d.w, tls_report_tries_failed) > 0);
	assert_shows(&d, "\"done\":false,\"what\":\"the host answered with status 500\"");
	fetch_sim_set("collect.test", FETCH_OK, 201, false, "");
	world_run(&d.w, 6 * HOUR);
	assert_int_equal(COUNTER(&d.w, tls_reports_posted), 1);
	assert_int_equal(COUNTER(&d.w, tls_reports_mailed), 1); /* that one had it */
	/* Another day, and the host stays broken. */
	fetch_sim_set("collect.test", FETCH_FAILED, 0, false, "");
	send_one(&d, 2, 10 * SECOND);
	to_next_day(&d, 40 * HOUR);
	assert_int_equal(COUNTER(&d.w, tls_reports_posted), 1);
	assert_int_equal(COUNTER(&d.w, tls_reports_mailed), 2);
	assert_int_equal(COUNTER(&d.w, tls_reports_given_up), 1);
	assert_true(COUNTER(&d.w, tls_report_tries_failed) < 30);
	close_desk(&d);
}

static void no_request_goes_to_addresses_that_only_we_can_reach(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, CONFIG "tlsrpt.from = tls@out.test\n", WITH_TLS(""));
	send_one(&d, 1, 10 * SECOND);
	to_next_day(&d, 5 * HOUR);
	assert_int_equal(fetch_sim_asked(), 0);
	assert_shows(&d, "only private or reserved addresses");
	close_desk(&d);
}

/* While the record, or the address of the collector, is being asked for. */
static void an_engine_that_ends_meanwhile_reports_when_it_is_back(void **state)
{
	(void)state;
	for (int at_address = 0; at_address < 2; at_address++) {
		struct desk d;
		open_desk(&d, ON, WITH_TLS(""));
		send_one(&d, 1, 10 * SECOND);
		if (at_address)
			resolver_sim_set("collect.test", DNS_A, 6 * HOUR, "127.0.9.9");
		else
			resolver_sim_set("_smtp._tls.one.test", DNS_TXT, 6 * HOUR, RUA);
		to_next_day(&d, 5 * HOUR);
		assert_int_equal(COUNTER(&d.w, tls_reports_posted), 0);
		resolver_sim_set("collect.test", DNS_A, 1, "127.0.9.9");
		resolver_sim_set("_smtp._tls.one.test", DNS_TXT, 1, RUA);
		world_restart(&d.w);
		world_run(&d.w, HOUR);
		assert_int_equal(COUNTER(&d.w, tls_reports_posted), 1);
		assert_int_equal(conn_sim_messages(), 2);
		close_desk(&d);
	}
}

static void a_record_that_has_gone_gets_no_report(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, ON, WITH_TLS(""));
	send_one(&d, 1, 10 * SECOND);
	resolver_sim_set("_smtp._tls.one.test", DNS_TXT, 1, "NXDOMAIN");
	to_next_day(&d, 30 * HOUR);
	assert_int_equal(conn_sim_messages(), 1);
	assert_int_equal(fetch_sim_asked(), 0);
	assert_int_equal(COUNTER(&d.w, tls_reports_given_up), 0);
	close_desk(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_is_counted_as_what_it_came_to),
		cmocka_unit_test(a_failure_says_whose_policy_where_and_why),
		cmocka_unit_test(the_second_try_in_the_clear_is_not_counted),
		cmocka_unit_test(nothing_is_counted_where_no_report_is_wanted_or_made),
		cmocka_unit_test(the_day_s_counts_are_reported_by_mail_and_https),
		cmocka_unit_test(a_restart_goes_on_counting_and_then_reports),
		cmocka_unit_test(a_report_goes_whatever_the_policy_of_its_host_says),
		cmocka_unit_test(a_report_that_nobody_signs_is_not_sent),
		cmocka_unit_test(a_message_that_waives_and_that_nobody_signs_waits),
		cmocka_unit_test(what_is_not_taken_is_tried_again_for_a_day),
		cmocka_unit_test(no_request_goes_to_addresses_that_only_we_can_reach),
		cmocka_unit_test(an_engine_that_ends_meanwhile_reports_when_it_is_back),
		cmocka_unit_test(a_record_that_has_gone_gets_no_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
