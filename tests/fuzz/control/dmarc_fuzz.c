/* DNS as a text, see tests/unit/control/zone.h; its first line is also read as a record.  Laws: one
 * more ';' and an unknown tag change nothing that is read; what was found is a record with a valid
 * policy; the questions are bounded. */
#include "base/buf.h"
#include "control/domains/dmarc.h"
#include "tests/unit/control/zone.h"

static void same_with(struct slice txt, const struct dmarc_record *r, const char *more)
{
	struct dmarc_record again;
	struct buf b;

	buf_init(&b, 0);
	buf_put(&b, txt);
	buf_put(&b, slice_str(more));
	if (dmarc_parse(buf_data(&b), &again) < 0)
		abort();
	assert(again.p == r->p && again.sp == r->sp && again.np == r->np && again.psd == r->psd &&
	       again.testing == r->testing && again.reports == r->reports &&
	       again.repeated == r->repeated);
	buf_free(&b);
}

static void discover(struct slice text, struct slice domain)
{
	struct zone z = { .text = text };
	OWNED(inquiry) a = inquiry_new((struct inquiry_door){ zone_ask, &z });
	struct dmarc_found found;
	struct dmarc_record r;

	dmarc_discover(a, domain, &found);
	assert(found.why[0] && z.asked <= DMARC_WALK_MOST + 3);
	if (found.state != DMARC_FOUND)
		return;
	if (dmarc_parse(found.text, &r) < 0)
		abort();
	assert(r.p >= DMARC_P_NONE && r.p <= DMARC_P_REJECT && found.domain[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of(data, size), rest = text, first = slice_take(&rest, '\n');
	struct dmarc_record r;

	assert(dmarc_is_record(first) == (dmarc_parse(first, &r) == 0));
	if (dmarc_parse(first, &r) == 0) {
		same_with(first, &r, ";");
		same_with(first, &r, "; zz=1");
	}
	discover(text, SLICE("s.test"));
	discover(text, SLICE("a.b.c.d.e.f.g.h.s.test"));
	return 0;
}
