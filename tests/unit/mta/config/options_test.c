/* The options of all rooms together: defaults, lists, mistakes. */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "base/file.h"
#include "mta/config/host.h"
#include "mta/deliver/deliverer.h"
#include "mta/parts.h"
#include "mta/replies/replies.h"
#include "mta/submit/options.h"

static struct settings *parsed(const char *text)
{
	char error[OPTION_ERROR_MAX] = "";
	struct settings *c;

	if (settings_parse(&c, mta_option_sets, mta_option_sets_n, slice_str(text), "test", error) <
	    0)
		fail_msg("%s", error);
	return c;
}

static void refused(const char *text, const char *word)
{
	char error[OPTION_ERROR_MAX] = "";
	struct settings *c;

	assert_int_equal(
	    settings_parse(&c, mta_option_sets, mta_option_sets_n, slice_str(text), "test", error),
	    E_SYNTAX);
	if (!strstr(error, word))
		fail_msg("\"%s\" does not mention %s", error, word);
}

static void an_empty_file_is_a_whole_configuration(void **state)
{
	OWNED(settings) c = parsed("");

	const struct host_options *host = host_options(c);
	const struct egress_options *egress = settings_of(c, &egress_option_set);
	const struct deliver_options *deliver = settings_of(c, &deliver_option_set);
	const struct smtp_options *smtp = settings_of(c, &smtp_option_set);
	const struct dns_options *dns = settings_of(c, &dns_option_set);

	(void)state;
	assert_true(*host->hostname);
	assert_int_equal(egress->n_sources, 1);
	assert_string_equal(egress->sources[0].pool, "default");
	assert_int_equal(egress->sources[0].ip.family, 0);
	assert_string_equal(egress->sources[0].ehlo, host->hostname);
	assert_int_equal(deliver->n_retries, 7);
	assert_int_equal(smtp->timeouts.dot, 600000);
	assert_int_equal(smtp->policy, TLS_WORD_OPPORTUNISTIC);
	assert_int_equal(dns->n_own_names, 1);
}

static void lists_become_addresses_and_durations(void **state)
{
	OWNED(settings)
	c = parsed("egress.sources = default 192.0.2.1 a.test, b 2001:db8::1 b.test\n"
		   "egress.sources = b * c.test\n"
		   "retry.schedule = 90s, 2h\n"
		   "listen.submission = 127.0.0.1:587, [::1]:587\n"
		   "dns.servers = 127.0.0.1, 127.0.0.2:5353\n"
		   "smtp.tls = must\n");

	const struct egress_options *egress = settings_of(c, &egress_option_set);
	const struct deliver_options *deliver = settings_of(c, &deliver_option_set);
	const struct submit_options *submit = settings_of(c, &submit_option_set);
	const struct dns_options *dns = settings_of(c, &dns_option_set);
	const struct smtp_options *smtp = settings_of(c, &smtp_option_set);

	(void)state;
	assert_int_equal(egress->n_sources, 3);
	assert_string_equal(egress->sources[0].ip_text, "192.0.2.1");
	assert_string_equal(egress->sources[1].ehlo, "b.test");
	assert_int_equal(egress->sources[2].ip.family, 0);
	assert_int_equal(deliver_retry_ms(deliver, 1), 90000);
	assert_int_equal(deliver_retry_ms(deliver, 2), 7200000);
	assert_int_equal(deliver_retry_ms(deliver, 99), 7200000);
	assert_int_equal(submit->listeners.n, 2);
	assert_int_equal(dns->servers.at[0].port, 53);
	assert_int_equal(dns->servers.at[1].port, 5353);
	assert_int_equal(smtp->policy, TLS_WORD_ENCRYPT);
}

static void a_tenant_weighs_what_its_entry_says_or_one(void **state)
{
	OWNED(settings)
	c = parsed("tenant.weight = 70 4, 3 2\ntenant.weight = 18446744073709551615 100\n");
	const struct queue_options *o = settings_of(c, &queue_option_set);

	(void)state;
	assert_int_equal(queue_tenant_weight(o, 70), 4);
	assert_int_equal(queue_tenant_weight(o, 3), 2);
	assert_int_equal(queue_tenant_weight(o, UINT64_MAX), 100);
	assert_int_equal(queue_tenant_weight(o, 4), 1);
	assert_int_equal(queue_tenant_weight(o, 0), 1);
	assert_int_equal(queue_tenant_weight(o, 71), 1);
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
	OWNED(settings) a = parsed("lanes = 2\n");
	OWNED(settings) b = parsed("lanes = 3\n");
	OWNED(settings) c = parsed("lanes = 2\nsite.rate = 5\n");

	(void)state;
	assert_string_equal(settings_needs_restart(a, b), "lanes");
	assert_null(settings_needs_restart(a, c));
}

static void a_rule_file_that_is_wrong_is_refused_with_its_line(void **state)
{
	const char *path = "/tmp/options_test.rules",
		   *line = "replies.rules = /tmp/options_test.rules\n";

	(void)state;
	refused("replies.rules = /nowhere/at.all\n", "/nowhere/at.all: cannot be read");
	assert_int_equal(file_write_atomic(path, SLICE("[a]\nclass = x\n"), 0600), 0);
	refused(line, "options_test.rules:2: class: \"x\": expected one class");
	assert_int_equal(file_write_atomic(path, SLICE("[a]\ncode = 550\nclass = quota\n"), 0600),
			 0);
	OWNED(settings) one = parsed(line);
	OWNED(settings) two = parsed(line);
	assert_ptr_equal(replies_judge(one), replies_judge(two)); /* unchanged: read once */
	assert_int_equal(file_write_atomic(path, SLICE("[b]\ncode = 551\nclass = quota\n"), 0600),
			 0);
	OWNED(settings) three = parsed(line);
	assert_ptr_not_equal(replies_judge(one), replies_judge(three));
	(void)unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_file_that_is_wrong_is_refused_with_its_line),
		cmocka_unit_test(an_empty_file_is_a_whole_configuration),
		cmocka_unit_test(lists_become_addresses_and_durations),
		cmocka_unit_test(a_tenant_weighs_what_its_entry_says_or_one),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(a_reload_knows_what_needs_a_restart),
	};

	return cmocka_run_group_tests_name("mta_config_options", tests, NULL, NULL);
}
