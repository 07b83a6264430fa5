/* What another verifier says: dkimpy, fed with signed messages of the corpus and our TXT values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "base/encode.h"
#include "dkim/sign.h"
#include "tests/unit/dkim/corpus.h"

/* Reads "selector txt" lines, an empty line, then messages in hex; says for each how many of its
 * own signatures pass. */
static const char verifier[] =
    "import sys, dkim\n"
    "keys = {}\n"
    "for line in sys.stdin:\n"
    "    if not line.strip(): break\n"
    "    s, txt = line.rstrip('\\n').split(' ', 1)\n"
    "    keys[(s + '._domainkey.shop.example.').encode()] = txt.encode()\n"
    "def dns(name, timeout=5): return keys.get(name)\n"
    "for line in sys.stdin:\n"
    "    d = dkim.DKIM(bytes.fromhex(line.strip()))\n"
    "    print(sum(d.verify(idx=i, dnsfunc=dns) for i in range(2)), flush=True)\n";

static struct sign_key *keys[2];

static void make_key(unsigned i, const char *selector, FILE *out)
{
	struct buf pem, txt;

	buf_init(&pem, 0);
	buf_init(&txt, 0);
	assert_int_equal(sign_key_generate(i ? SIGN_ED25519 : SIGN_RSA, &pem, &txt), 0);
	assert_int_equal(
	    sign_key_load(&keys[i], buf_data(&pem), SLICE("shop.example"), slice_str(selector)), 0);
	(void)fprintf(out, "%s %s\n", selector, buf_cstr(&txt));
	buf_free(&pem);
	buf_free(&txt);
}

/* dkimpy takes other line ends for line ends and no blanks before a colon; those messages are
 * libopendkim's to verify. */
static bool is_text(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == 0x0b || s.p[i] == 0x0c ||
		    (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r')))
			return false;
	return true;
}

static void write_message(struct slice header, struct slice body, FILE *out)
{
	struct buf m, signed_m, hex;

	buf_init(&m, 0);
	buf_init(&signed_m, 0);
	buf_init(&hex, 0);
	buf_put(&m, header);
	buf_put(&m, SLICE("\r\n"));
	buf_put(&m, body);
	assert_int_equal(sign_message(keys, 2, buf_data(&m), 1600000000, &signed_m), 0);
	buf_put(&signed_m, buf_data(&m));
	if (body.n < 2 || memcmp(body.p + body.n - 2, "\r\n", 2) != 0)
		buf_put(&signed_m, SLICE("\r\n")); /* as SMTP does */
	assert_int_equal(hex_encode(&hex, buf_data(&signed_m)), 0);
	(void)fprintf(out, "%s\n", buf_cstr(&hex));
	buf_free(&m);
	buf_free(&signed_m);
	buf_free(&hex);
}

static unsigned write_corpus(const char *path)
{
	FILE *out = fopen(path, "w");
	unsigned written = 0;

	assert_non_null(out);
	make_key(0, "r1", out);
	make_key(1, "e1", out);
	(void)fprintf(out, "\n");
	for (unsigned h = 0; h < corpus_n_headers; h++) {
		for (unsigned b = h % 2; b < corpus_n_bodies; b += 2) {
			if (!is_text(corpus_bodies[b]) ||
			    memmem(corpus_headers[h].p, corpus_headers[h].n, "  :", 3))
				continue;
			write_message(corpus_headers[h], corpus_bodies[b], out);
			written++;
		}
	}
	assert_int_equal(fclose(out), 0);
	return written;
}

static void both_signatures_of_every_message_pass_in_dkimpy(void **state UNUSED)
{
	char path[] = "/tmp/dkimpy-test-XXXXXX", script[80], command[200], line[32];
	unsigned written, passed = 0, lines = 0;
	FILE *in, *f;

	assert_non_null(mkdtemp(path));
	(void)snprintf(script, sizeof(script), "%s/in", path);
	written = write_corpus(script);
	assert_true(written > 100);
	(void)snprintf(script, sizeof(script), "%s/verify.py", path);
	f = fopen(script, "w");
	assert_non_null(f);
	(void)fputs(verifier, f);
	assert_int_equal(fclose(f), 0);
	(void)snprintf(command, sizeof(command), "/usr/bin/python3 %s/verify.py < %s/in", path,
		       path);
	in = popen(command, "r");
	assert_non_null(in);
	while (fgets(line, sizeof(line), in)) {
		lines++;
		passed += strcmp(line, "2\n") == 0;
	}
	assert_int_equal(pclose(in), 0);
	assert_int_equal(lines, written);
	assert_int_equal(passed, written);
	(void)snprintf(command, sizeof(command), "rm -r %s", path);
	assert_int_equal(system(command), 0);
	sign_key_free(keys[0]);
	sign_key_free(keys[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_signatures_of_every_message_pass_in_dkimpy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
