#include <stdarg.h>
#include <stdio.h>

#include <setjmp.h>
#include <cmocka.h>

#include "mta/bounce.h"
#include "mta/config.h"

static struct mta_config *parsed(const char *text)
{
	char error[OPTION_ERROR_MAX] = "";
	struct mta_config *c;

	if (config_parse(&c, slice_str(text), "test", error) < 0)
		fail_msg("%s", error);
	return c;
}

static void refused(const char *text, const char *word)
{
	char error[OPTION_ERROR_MAX] = "";
	struct mta_config *c;

	assert_int_equal(config_parse(&c, slice_str(text), "test", error), E_SYNTAX);
	if (!strstr(error, word))
		fail_msg("\"%s\" does not mention %s", error, word);
}

static void an_empty_file_is_a_whole_configuration(void **state)
{
	OWNED(mta_config) c = parsed("");

	(void)state;
	assert_true(*c->hostname);
	assert_int_equal(c->n_sources, 1);
	assert_string_equal(c->sources[0].pool, "default");
	assert_int_equal(c->sources[0].ip.family, 0);
	assert_string_equal(c->sources[0].ehlo, c->hostname);
	assert_int_equal(c->n_retries, 7);
	assert_int_equal(c->timeouts.dot, 600000);
	assert_int_equal(c->tls_policy, TLS_MAY);
	assert_int_equal(c->n_own_names, 1);
}

static void lists_become_addresses_and_durations(void **state)
{
	OWNED(mta_config)
	c = parsed("egress.sources = default 192.0.2.1 a.test, b 2001:db8::1 b.test\n"
		   "egress.sources = b * c.test\n"
		   "retry.schedule = 90s, 2h\n"
		   "listen.submission = 127.0.0.1:587, [::1]:587\n"
		   "dns.servers = 127.0.0.1, 127.0.0.2:5353\n"
		   "smtp.tls = must\n");

	(void)state;
	assert_int_equal(c->n_sources, 3);
	assert_string_equal(c->sources[0].ip_text, "192.0.2.1");
	assert_string_equal(c->sources[1].ehlo, "b.test");
	assert_int_equal(c->sources[2].ip.family, 0);
	assert_int_equal(config_retry_ms(c, 1), 90000);
	assert_int_equal(config_retry_ms(c, 2), 7200000);
	assert_int_equal(config_retry_ms(c, 99), 7200000);
	assert_int_equal(c->n_submission, 2);
	assert_int_equal(c->dns[0].port, 53);
	assert_int_equal(c->dns[1].port, 5353);
	assert_int_equal(c->tls_policy, TLS_MUST);
}

static void a_tenant_weighs_what_its_entry_says_or_one(void **state)
{
	OWNED(mta_config)
	c = parsed("tenant.weight = 70 4, 3 2\ntenant.weight = 18446744073709551615 100\n");

	(void)state;
	assert_int_equal(config_tenant_weight(c, 70), 4);
	assert_int_equal(config_tenant_weight(c, 3), 2);
	assert_int_equal(config_tenant_weight(c, UINT64_MAX), 100);
	assert_int_equal(config_tenant_weight(c, 4), 1);
	assert_int_equal(config_tenant_weight(c, 0), 1);
	assert_int_equal(config_tenant_weight(c, 71), 1);
}

static void mistakes_are_named(void **state)
{
	(void)state;
	refused("smtp.tls = perhaps\n", "smtp.tls");
	refused("log.level = loud\n", "log.level");
	refused("egress.sources = default\n", "egress.sources");
	refused("egress.sources = default 192.0.2.1 a.test b.test\n", "egress.sources");
	refused("egress.sources = default 192.0.2.300 a.test\n", "192.0.2.300");
	refused("retry.schedule = 5x\n", "5x");
	refused("retry.schedule =\n", "retry.schedule");
	refused("listen.submission = 587\n", "587");
	refused("tls.cert = /etc/cert.pem\n", "tls.key");
	refused("hostname = a b\n", "hostname");
	refused("dns.servers = 1.1.1.1, 1.1.1.1, 1.1.1.1, 1.1.1.1, 1.1.1.1, 1.1.1.1, 1.1.1.1, "
		"1.1.1.1, 1.1.1.1\n",
		"dns.servers");
	refused("tenant.weight = 7\n", "tenant.weight");
	refused("tenant.weight = 7 0\n", "7 0");
	refused("tenant.weight = 7 101\n", "7 101");
	refused("tenant.weight = 7 2 1\n", "7 2 1");
	refused("tenant.weight = 9 1, 7 2, 8 3, 7 4\n", "7 4");
	refused("transactional.share = 100\n", "transactional.share");
	refused("nothing = 1\n", "nothing");
}

static void a_reload_knows_what_needs_a_restart(void **state)
{
	OWNED(mta_config) a = parsed("lanes = 2\n");
	OWNED(mta_config) b = parsed("lanes = 3\n");
	OWNED(mta_config) c = parsed("lanes = 2\nsite.rate = 5\n");

	(void)state;
	assert_string_equal(config_needs_restart(a, b), "lanes");
	assert_null(config_needs_restart(a, c));
}

static void a_report_is_mime_and_peers_add_nothing_to_it(void **state)
{
	struct bounce_facts f = {
		.hostname = SLICE("out.test"),
		.sender = SLICE("a@b.test"),
		.rcpt = SLICE("u@c.test"),
		.text = SLICE("no\r\nBcc: evil@d.test\r\n\r\n--=_postern.0.1--"),
		.host = SLICE("mx\r\nX: y"),
		.header = SLICE("From: a@b.test\r\nSubject: x\r\n"),
		.status = STATUS(5, 1, 1),
		.code = 550,
		.id = { 0, 0x1234 },
	};
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	bounce_compose(&f, &out);
	const char *text = buf_cstr(&out);
	assert_non_null(
	    strstr(text, "Content-Type: multipart/report; report-type=delivery-status;"));
	assert_non_null(strstr(text, "\r\nFinal-Recipient: rfc822; u@c.test\r\n"));
	assert_non_null(strstr(text, "\r\nStatus: 5.1.1\r\n"));
	assert_non_null(strstr(text, "Diagnostic-Code: smtp; 550 no??Bcc: evil@d.test"));
	assert_null(strstr(text, "\r\nBcc:"));
	assert_null(strstr(text, "\r\nX: y"));
	for (size_t i = 0; i < buf_len(&out); i++) /* CRLF and nothing half of it */
		assert_int_equal(text[i] == '\n', i > 0 && text[i - 1] == '\r');
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_is_a_whole_configuration),
		cmocka_unit_test(lists_become_addresses_and_durations),
		cmocka_unit_test(a_tenant_weighs_what_its_entry_says_or_one),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(a_reload_knows_what_needs_a_restart),
		cmocka_unit_test(a_report_is_mime_and_peers_add_nothing_to_it),
	};

	return cmocka_run_group_tests_name("core_config", tests, NULL, NULL);
}
