/* control/saml/reader.c - a question in, an answer out, in a process that has nothing else. */
#include "control/saml/reader.h"

#include <sysexits.h>
#include <unistd.h>

#include "base/sandbox.h"
#include "control/saml/signed.h"
#include "control/saml/verify.h"

static int read_all(char *p, size_t n)
{
	while (n) {
		ssize_t got = read(STDIN_FILENO, p, n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : E_EOF;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

static int write_all(const char *p, size_t n)
{
	while (n) {
		ssize_t put = write(STDOUT_FILENO, p, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		p += put;
		n -= (size_t)put;
	}
	return 0;
}

int saml_reader_answer(struct slice question, struct buf *out)
{
	struct saml_room *room = must_alloc(sizeof(*room));
	struct saml_question q;
	struct saml_answer a;
	int r = saml_question_get(question, &q);

	if (r == 0) {
		saml_verify(&q, room, &a);
		r = saml_answer_put(out, &a);
	}
	saml_verify_free(room);
	free(room);
	return r;
}

static int converse(int (*answer)(struct slice question, struct buf *out), struct buf *in,
		    struct buf *out)
{
	uint32_t n;
	int r = read_all((char *)&n, sizeof(n));

	if (r < 0 || n > SAML_QUESTION_MAX)
		return r < 0 ? r : E_LIMIT;
	r = buf_reserve(in, n + 1UL);
	if (r == 0)
		r = read_all(buf_tail(in), n);
	if (r < 0)
		return r;
	buf_grow(in, n);
	buf_put(out, slice_of(&n, sizeof(n))); /* the length, once it is known */
	r = answer(buf_data(in), out);
	n = (uint32_t)(buf_len(out) - sizeof(n));
	memcpy(out->p + out->start, &n, sizeof(n));
	return r == 0 ? write_all(buf_data(out).p, buf_len(out)) : r;
}

int saml_reader_main_with(int (*answer)(struct slice question, struct buf *out))
{
	struct buf in = { 0 }, out = { 0 };
	int r = saml_signed_prepare();

	if (r == 0)
		r = sandbox_enter(SAML_READER_CPU_S, SAML_READER_MEMORY);
	if (r == 0)
		r = converse(answer, &in, &out);
	buf_free(&in);
	buf_free(&out);
	_exit(r < 0 ? EX_SOFTWARE : EX_OK);
}

int saml_reader_main(void)
{
	return saml_reader_main_with(saml_reader_answer);
}
