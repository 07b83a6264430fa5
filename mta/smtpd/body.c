/* The bytes of a message, read run by run: dots out, its true end, what is wrong with it. */
#include "mta/smtpd/body.h"

void smtpd_body_failed(struct smtpd_body *b, int err)
{
	b->overflow = b->overflow || err == E_LIMIT;
	b->no_memory = b->no_memory || (err < 0 && err != E_LIMIT);
}

static void keep(struct smtpd_body *b, const char *from, const char *to, struct buf *out)
{
	struct slice run = slice_of(from, (size_t)(to - from));

	if (!run.n || b->nul)
		return;
	if (memchr(run.p, '\0', run.n))
		b->nul = true;
	else if (!b->lone)
		smtpd_body_failed(b, b->overflow || b->no_memory ? 0 : buf_append(out, run));
}

/* Text up to and with the next LF, or all there is.  Gives where it stopped. */
static const char *text(struct smtpd_body *b, const char *p, const char *end)
{
	const char *lf = memchr(p, '\n', (size_t)(end - p));
	const char *stop = lf ? lf : end, *cr = memchr(p, '\r', (size_t)(stop - p));
	bool last_cr = stop > p ? stop[-1] == '\r' : b->cr;

	/* A CR at the end of earlier input must be followed by LF at once, and a CR in this run may
	 * only be its last byte. */
	if ((b->cr && stop > p) || (cr && cr + 1 != stop) || (lf && !last_cr))
		b->lone = true;
	b->cr = last_cr;
	b->line += (size_t)(stop - p);
	if (!lf)
		return end;
	b->longest = MAX_OF(b->longest, b->line - last_cr);
	b->line = 0;
	b->state = last_cr ? SMTPD_BODY_LINE : SMTPD_BODY_TEXT;
	b->cr = false;
	return lf + 1;
}

size_t smtpd_body_feed(struct smtpd_body *b, struct slice in, struct buf *out)
{
	const char *p = in.p, *end = in.p + in.n, *run = p;

	while (p < end && !b->done) {
		switch (b->state) {
		case SMTPD_BODY_LINE:
			b->state = *p == '.' ? SMTPD_BODY_DOT : SMTPD_BODY_TEXT;
			b->cr = false;
			if (b->state == SMTPD_BODY_DOT) {
				keep(b, run, p, out);
				run = ++p; /* the dot is dropped, stuffed or last */
			}
			break;
		case SMTPD_BODY_DOT:
			b->state = *p == '\r' ? SMTPD_BODY_DOT_CR : SMTPD_BODY_TEXT;
			if (b->state == SMTPD_BODY_DOT_CR)
				run = ++p;
			break;
		case SMTPD_BODY_DOT_CR:
			b->done = *p == '\n';
			if (b->done) {
				run = ++p;
				break;
			}
			b->lone = true; /* "." CR and no LF */
			b->state = SMTPD_BODY_TEXT;
			break;
		case SMTPD_BODY_TEXT:
			p = text(b, p, end);
			break;
		}
	}
	keep(b, run, p, out);
	return (size_t)(p - in.p);
}

void smtpd_body_feed_raw(struct smtpd_body *b, struct slice in, struct buf *out)
{
	const char *p = in.p, *end = in.p + in.n;

	while (p < end)
		p = text(b, p, end);
	keep(b, in.p, end, out);
}

void smtpd_body_end_raw(struct smtpd_body *b, struct buf *out)
{
	b->lone = b->lone || b->cr;
	if (b->line && !b->lone && !b->nul && !b->overflow && !b->no_memory)
		smtpd_body_failed(b, buf_append(out, SLICE("\r\n")));
	b->longest = MAX_OF(b->longest, b->line);
	b->line = 0;
	b->done = true;
}
