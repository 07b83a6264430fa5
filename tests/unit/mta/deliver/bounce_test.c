/* Unit test of mta/deliver/bounce.h. */
#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>
#include <cmocka.h>

#include "mta/deliver/bounce.h"

static void a_report_is_mime_and_peers_add_nothing_to_it(void **state)
{
	struct bounce_facts f = {
		.hostname = SLICE("out.test"),
		.sender = SLICE("a@b.test"),
		.rcpt = SLICE("u@c.test"),
		.text = SLICE("no\r\nBcc: evil@d.test\r\n\r\n--=_postern.0.1--"),
		.host = SLICE("mx\r\nX: y"),
		.class = SLICE("invalid-recipient"),
		.header = SLICE("From: a@b.test\r\nSubject: x\r\n"),
		.status = { 5, 1, 1 },
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
	assert_non_null(strstr(text, "\r\nX-Postern-Class: invalid-recipient\r\n\r\n"));
	assert_non_null(strstr(text, "This means: there is no such mailbox.\r\n"));
	assert_null(strstr(text, "\r\nBcc:"));
	assert_null(strstr(text, "\r\nX: y"));
	for (size_t i = 0; i < buf_len(&out); i++) /* CRLF and nothing half of it */
		assert_int_equal(text[i] == '\n', i > 0 && text[i - 1] == '\r');
	buf_free(&out);
}

static void a_report_is_ascii_in_short_lines_whatever_the_header_has(void **state)
{
	static char folded[3000];
	const struct slice headers[] = {
		SLICE("From: a@b.test\r\nSubject: gr\xc3\xbc\xc3\x9f=e \r\n"),
		SLICE("Subject: \xff\x00\x80\r\n\t\xfe\r\n"),
		slice_of(folded, sizeof(folded)),
	};
	struct bounce_facts f = {
		.hostname = SLICE("out.test"),
		.sender = SLICE("\xc3\xbc@b.test"),
		.rcpt = SLICE("\xc3\xbc@c.test"),
		.text = SLICE("nein, gr\xc3\xbc\xc3\x9f"),
		.status = { 5, 1, 1 },
	};
	struct buf out;

	(void)state;
	memset(folded, 'x', sizeof(folded));
	memcpy(folded, "Subject: ", 9);
	memcpy(folded + sizeof(folded) - 2, "\r\n", 2);
	for (size_t k = 0; k < ARRAY_LEN(headers); k++) {
		size_t line = 0;

		f.header = headers[k];
		buf_init(&out, 0);
		bounce_compose(&f, &out);
		for (size_t i = 0; i < buf_len(&out); i++) {
			char c = buf_data(&out).p[i];
			line = c == '\n' ? 0 : line + 1;
			assert_true(c && (unsigned char)c < 0x80 && line <= 998);
		}
		const char *text = buf_cstr(&out);
		assert_non_null(strstr(text,
				       "Content-Type: text/rfc822-headers\r\n"
				       "Content-Transfer-Encoding: quoted-printable\r\n\r\n"));
		if (k == 0)
			assert_non_null(strstr(text, "From: a@b.test\r\n"
						     "Subject: gr=C3=BC=C3=9F=3De=20\r\n"));
		buf_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_is_ascii_in_short_lines_whatever_the_header_has),
		cmocka_unit_test(a_report_is_mime_and_peers_add_nothing_to_it),
	};

	return cmocka_run_group_tests_name("mta_deliver_bounce", tests, NULL, NULL);
}
