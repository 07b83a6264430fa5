/* bench/sign_bench.c - what one signature costs: the hot path, libopendkim, and the bare public key
 * operation below both.  One thread, CPU time; the median of ROUNDS rounds.
 *
 *	sign_bench [--json]
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <time.h>

#include "dkim/key.h"

enum { ROUNDS = 9, MESSAGE_BYTES = 10 * 1024, NOW = 1795192358 };

typedef int (*sign_fn)(struct sign_key *const *, unsigned, struct slice, int64_t, struct buf *);

struct row {
	const char *name;
	enum sign_type type;
	sign_fn sign; /* NULL: the bare operation on a digest */
	unsigned n;   /* a round */
	double ms;
};

static double cpu_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static struct sign_key *make_key(enum sign_type type)
{
	struct buf pem, txt;
	struct sign_key *key = NULL;

	buf_init(&pem, 0);
	buf_init(&txt, 0);
	if (sign_key_generate(type, &pem, &txt) < 0 ||
	    sign_key_load(&key, buf_data(&pem), SLICE("news.shop.example"), SLICE("s2026")) < 0)
		abort();
	buf_free(&pem);
	buf_free(&txt);
	return key;
}

/* An ordinary newsletter: quoted-printable HTML, some lines with doubled and trailing blanks. */
static void make_message(struct buf *m)
{
	buf_put(
	    m,
	    SLICE("From: \"The Shop\" <news@news.shop.example>\r\nTo: someone@recipient.example\r\n"
		  "Subject: This week at the shop\r\nDate: Fri, 20 Nov 2026 16:32:38 +0000\r\n"
		  "Message-ID: <3f2a.17c9@news.shop.example>\r\nMIME-Version: 1.0\r\n"
		  "List-Unsubscribe: <https://t.shop.example/u/AbCdEfGhIjKlMnOpQrStUv>,\r\n"
		  " <mailto:u+AbCdEf@news.shop.example>\r\n"
		  "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
		  "Content-Type: text/html; charset=utf-8\r\n"
		  "Content-Transfer-Encoding: quoted-printable\r\n\r\n"));
	for (unsigned i = 0; buf_len(m) < MESSAGE_BYTES - 4; i++)
		buf_putf(
		    m,
		    i % 16 == 15
			? "  <tr>  <td>row %u</td></tr> \r\n"
			: "<p style=3D\"margin:0\">Line %u of a page that says nothing at all=\r\n",
		    i);
}

static void run_once(struct sign_key *key, sign_fn sign, struct slice m, struct buf *out)
{
	uint8_t digest[32] = { 1 }, signature[SIGN_SIGNATURE_MAX];
	size_t n;
	int r;

	buf_clear(out);
	r = sign ? sign(&key, 1, m, NOW, out) : sign_digest(key, digest, signature, &n);
	if (r < 0)
		abort();
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(struct row *row, struct slice m)
{
	struct sign_key *key = make_key(row->type);
	double times[ROUNDS];
	struct buf out;

	buf_init(&out, 0);
	run_once(key, row->sign, m, &out);
	for (unsigned round = 0; round < ROUNDS; round++) {
		double start = cpu_ms();
		for (unsigned i = 0; i < row->n; i++)
			run_once(key, row->sign, m, &out);
		times[round] = (cpu_ms() - start) / row->n;
	}
	qsort(times, ROUNDS, sizeof(times[0]), compare);
	row->ms = times[ROUNDS / 2];
	buf_free(&out);
	sign_key_free(key);
}

int main(int argc, char **argv)
{
	struct row rows[] = {
		{ "rsa", SIGN_RSA, sign_message, 300, 0 },
		{ "ed25519", SIGN_ED25519, sign_message, 2000, 0 },
		{ "judge_rsa", SIGN_RSA, sign_judge, 60, 0 },
		{ "judge_ed25519", SIGN_ED25519, sign_judge, 200, 0 },
		{ "raw_rsa", SIGN_RSA, NULL, 300, 0 },
		{ "raw_ed25519", SIGN_ED25519, NULL, 2000, 0 },
	};
	bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
	struct buf m;

	buf_init(&m, 0);
	make_message(&m);
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		measure(&rows[i], buf_data(&m));
		if (!json)
			printf("%-14s %8.4f ms a message of %zu bytes\n", rows[i].name, rows[i].ms,
			       buf_len(&m));
	}
	for (unsigned i = 0; json && i < ARRAY_LEN(rows); i++)
		printf("%s\"%s_ms\": %.4f%s", i ? ", " : "{", rows[i].name, rows[i].ms,
		       i + 1 == ARRAY_LEN(rows) ? "}\n" : "");
	buf_free(&m);
	return 0;
}
