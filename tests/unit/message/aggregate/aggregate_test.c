/* Reports about a domain: what they say, however they are packed, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <zlib.h>
#include <cmocka.h>

#include "message/aggregate/aggregate.h"

static const char dmarc[] =
    "<?xml version=\"1.0\"?>\n<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\">\n"
    "<version>1.0</version><report_metadata><org_name>google.com</org_name>"
    "<email>noreply@google.com</email><report_id>123</report_id>"
    "<date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata>"
    "<policy_published><domain>sender.test</domain><adkim>r</adkim><aspf>r</aspf><p>reject</p>"
    "<sp>none</sp><pct>100</pct></policy_published>"
    "<record><row><source_ip>192.0.2.1</source_ip><count>7</count><policy_evaluated>"
    "<disposition>none</disposition><dkim>pass</dkim><spf>fail</spf>"
    "<reason><type>forwarded</type><comment>x</comment></reason></policy_evaluated></row>"
    "<identifiers><header_from>sender.test</header_from><envelope_from>r.test</envelope_from>"
    "</identifiers><auth_results><dkim><domain>sender.test</domain><selector>s1</selector>"
    "<result>pass</result></dkim><spf><domain>r.test</domain><result>fail</result></spf>"
    "</auth_results></record>"
    "<record><row><source_ip>2001:db8::1</source_ip><count>3</count></row></record></feedback>";

static const char dmarc_json[] =
    "{\"type\":\"dmarc\",\"rows\":[{\"ip\":\"192.0.2.1\",\"count\":7,\"disposition\":\"none\","
    "\"dkim\":\"pass\",\"spf\":\"fail\",\"reason\":\"forwarded\",\"header_from\":\"sender.test\","
    "\"envelope_from\":\"r.test\",\"auth\":[{\"by\":\"dkim\",\"domain\":\"sender.test\","
    "\"selector\":\"s1\",\"result\":\"pass\"},{\"by\":\"spf\",\"domain\":\"r.test\","
    "\"result\":\"fail\"}]},{\"ip\":\"2001:db8::1\",\"count\":3}],\"org\":\"google.com\","
    "\"email\":\"noreply@google.com\",\"id\":\"123\",\"begin\":1700000000,\"end\":1700086399,"
    "\"domain\":\"sender.test\",\"policy\":{\"adkim\":\"r\",\"aspf\":\"r\",\"p\":\"reject\","
    "\"sp\":\"none\",\"pct\":100},\"messages\":10,\"more\":false}";

static const char tlsrpt[] =
    "{\"organization-name\":\"Company-X\",\"date-range\":{\"start-datetime\":"
    "\"2016-04-01T00:00:00Z\",\"end-datetime\":\"2016-04-01T23:59:59Z\"},\"contact-info\":"
    "\"sts@company-x.example\",\"report-id\":\"5065427c\",\"policies\":[{\"policy\":{"
    "\"policy-type\":\"sts\",\"policy-string\":[\"version: STSv1\"],\"policy-domain\":"
    "\"company-y.example\"},\"summary\":{\"total-successful-session-count\":5326,"
    "\"total-failure-session-count\":303},\"failure-details\":[{\"result-type\":"
    "\"certificate-expired\",\"sending-mta-ip\":\"2001:db8:abcd:0012::1\","
    "\"receiving-mx-hostname\":\"mx1.company-y.example\",\"failed-session-count\":100}]}]}";

static struct buf json, identity;

static enum aggregate_kind read_it(struct slice s)
{
	buf_free(&json);
	buf_free(&identity);
	buf_put(&json, SLICE(""));
	return aggregate_read(s, &json, &identity);
}

/* Without the spaces between the members: no value here has one behind a comma or a colon. */
static void assert_json(const char *text)
{
	static char tight[4096];
	struct slice s = buf_data(&json);
	size_t n = 0;

	assert_true(s.n < sizeof(tight));
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != ' ' || (s.p[i - 1] != ',' && s.p[i - 1] != ':'))
			tight[n++] = s.p[i];
	tight[n] = '\0';
	assert_string_equal(tight, text);
}

/* window: 31 gzip, -15 bare. */
static struct slice packed(struct slice s, int window, char *buf, size_t cap)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)s.p,
		       .avail_in = (uInt)s.n,
		       .next_out = (Bytef *)buf,
		       .avail_out = (uInt)cap };

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	(void)deflateEnd(&z);
	return slice_of(buf, cap - z.avail_out);
}

static struct slice zipped(struct slice s, bool stored, char *buf, size_t cap)
{
	static const char name[] = "google.com!sender.test!1!2.xml";
	char head[30] = "PK\3\4\24\0\0\0";
	struct slice in;
	size_t n = sizeof(head) + sizeof(name) - 1;

	head[8] = stored ? 0 : 8;
	head[18] = stored ? (char)(s.n & 0xff) : 0;
	head[19] = stored ? (char)(s.n >> 8) : 0;
	head[26] = sizeof(name) - 1;
	memcpy(buf, head, sizeof(head));
	memcpy(buf + sizeof(head), name, sizeof(name) - 1);
	if (stored) {
		memcpy(buf + n, s.p, s.n);
		return slice_of(buf, n + s.n);
	}
	in = packed(s, -15, buf + n, cap - n - 16);
	memset(buf + n + in.n, 'P', 16); /* what follows the entry */
	return slice_of(buf, n + in.n + 16);
}

static void a_dmarc_report_is_rows_however_it_is_packed(void **state UNUSED)
{
	char buf[8192];

	assert_int_equal(read_it(slice_str(dmarc)), AGGREGATE_DMARC);
	assert_json(dmarc_json);
	assert_true(
	    slice_eq(buf_data(&identity), SLICE("google.com noreply@google.com 123 sender.test ")));
	assert_int_equal(read_it(packed(slice_str(dmarc), 31, buf, sizeof(buf))), AGGREGATE_DMARC);
	assert_json(dmarc_json);
	assert_int_equal(read_it(zipped(slice_str(dmarc), false, buf, sizeof(buf))),
			 AGGREGATE_DMARC);
	assert_json(dmarc_json);
	assert_int_equal(read_it(zipped(slice_str(dmarc), true, buf, sizeof(buf))),
			 AGGREGATE_DMARC);
	assert_json(dmarc_json);
}

static void a_tls_report_is_its_policies(void **state UNUSED)
{
	char buf[4096];

	assert_int_equal(read_it(packed(slice_str(tlsrpt), 31, buf, sizeof(buf))),
			 AGGREGATE_TLSRPT);
	assert_json(
	    "{\"type\":\"tlsrpt\",\"org\":\"Company-X\",\"contact\":\"sts@company-x.example\","
	    "\"id\":\"5065427c\",\"begin\":\"2016-04-01T00:00:00Z\",\"end\":"
	    "\"2016-04-01T23:59:59Z\",\"policies\":[{\"type\":\"sts\",\"domain\":"
	    "\"company-y.example\",\"success\":5326,\"failure\":303,\"failures\":[{"
	    "\"result\":\"certificate-expired\",\"sessions\":100,\"from\":"
	    "\"2001:db8:abcd:0012::1\",\"host\":\"mx1.company-y.example\"}]}],"
	    "\"more\":false}");
	assert_true(slice_eq(buf_data(&identity), SLICE("Company-X 5065427c")));
}

static void rows_past_the_room_are_counted_and_left_out(void **state UNUSED)
{
	struct buf xml = { 0 };
	static const char tail[] = "\"messages\": 40000, \"more\": true}";
	const char *end = strstr(dmarc, "<record>");

	buf_put(&xml, slice_of(dmarc, (size_t)(end - dmarc)));
	for (unsigned i = 0; i < 20000; i++)
		buf_put(&xml, SLICE("<record><row><source_ip>192.0.2.1</source_ip><count>2</count>"
				    "</row></record>"));
	buf_put(&xml, SLICE("</feedback>"));
	assert_int_equal(read_it(buf_data(&xml)), AGGREGATE_DMARC);
	assert_in_range(buf_len(&json), 20000, AGGREGATE_JSON_MAX);
	assert_non_null(memmem(buf_data(&json).p, buf_len(&json), tail, sizeof(tail) - 1));
	buf_free(&xml);
}

static void bombs_entities_and_depth_are_refused(void **state UNUSED)
{
	OWNED_MEM char *bomb = must_alloc(1 << 20);
	OWNED_MEM char *zeros = must_alloc(100 << 20);
	struct buf deep = { 0 };
	struct slice s;

	memset(zeros, ' ', 100 << 20);
	zeros[0] = '<';
	s = packed(slice_of(zeros, 100 << 20), 31, bomb, 1 << 20);
	assert_int_equal(aggregate_unpack(s, &deep), E_LIMIT);
	assert_true(buf_len(&deep) <= AGGREGATE_PLAIN_MAX + 65536);
	buf_clear(&deep);
	assert_int_equal(read_it(s), AGGREGATE_NONE);
	assert_int_equal(read_it(SLICE("<!DOCTYPE feedback [<!ENTITY a \"aaaa\">]><feedback>"
				       "<report_metadata><org_name>&a;</org_name></report_metadata>"
				       "</feedback>")),
			 AGGREGATE_NONE);
	for (unsigned i = 0; i < 40; i++)
		buf_put(&deep, SLICE("<feedback>"));
	assert_int_equal(read_it(buf_data(&deep)), AGGREGATE_NONE);
	buf_free(&deep);
	/* An empty element that is refused at its beginning still has an end. */
	assert_int_equal(read_it(SLICE("<a-name-of-more-than-thirty-one-letters/>")),
			 AGGREGATE_NONE);
}

static void what_is_no_report_gives_nothing(void **state UNUSED)
{
	static const char *const none[] = { "",
					    "hello",
					    "<html></html>",
					    "<feedback></feedback>",
					    "{}",
					    "{\"report-id\": \"1\"}",
					    "{\"policies\": []}",
					    "PK\3\4",
					    "\x1f\x8b\x08" };
	char buf[8192];
	struct slice s = packed(slice_str(dmarc), 31, buf, sizeof(buf));

	for (unsigned i = 0; i < ARRAY_LEN(none); i++) {
		assert_int_equal(read_it(slice_str(none[i])), AGGREGATE_NONE);
		assert_int_equal(buf_len(&json) + buf_len(&identity), 0);
	}
	assert_int_equal(read_it(slice_of(s.p, s.n / 2)), AGGREGATE_NONE);
	assert_int_equal(read_it(slice_of(dmarc, sizeof(dmarc) - 20)), AGGREGATE_NONE);
}

static int free_all(void **state UNUSED)
{
	buf_free(&json);
	buf_free(&identity);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dmarc_report_is_rows_however_it_is_packed),
		cmocka_unit_test(a_tls_report_is_its_policies),
		cmocka_unit_test(rows_past_the_room_are_counted_and_left_out),
		cmocka_unit_test(bombs_entities_and_depth_are_refused),
		cmocka_unit_test(what_is_no_report_gives_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, free_all);
}
