/* control/contacts/separator.c - trying each sign on the front of a file. */
#include "control/contacts/separator.h"

#include "base/blanks.h"
#include "control/contacts/sheet.h"
#include "control/contacts/title.h"

enum { RECORDS_TRIED = 50 };
static const char signs[] = { ',', ';', '\t', '|' };

struct trial {
	separator_known known;
	void *arg;
	unsigned titles, known_titles, records, alike;
};

static int try_record(void *arg, const struct sheet_record *r)
{
	struct trial *t = arg;

	if (t->titles == 0) {
		t->titles = r->n_seen;
		for (unsigned i = 0; i < r->n; i++)
			t->known_titles += t->known(t->arg, title_cell(r->fields[i]));
		return 0;
	}
	t->records++;
	t->alike += r->n_seen == t->titles;
	return t->records < RECORDS_TRIED ? 0 : E_EOF;
}

static unsigned score(char sign, struct slice head, bool whole, separator_known known, void *arg)
{
	OWNED(sheet) sheet = NULL;
	struct trial t = { .known = known, .arg = arg };
	int r = sheet_open(&sheet, sign, try_record, &t);

	if (r >= 0)
		r = sheet_feed(sheet, head);
	if (r >= 0 && whole)
		r = sheet_end(sheet);
	if (t.titles == 0)
		return 0;
	if (r < 0 && r != E_EOF && t.records == 0) /* a quote is open: only the titles tell */
		return t.known_titles * 1000U;
	return t.known_titles * 1000U + (t.alike == t.records ? 100 : 0) + (t.titles > 1 ? 10 : 0);
}

/* sep-line = [ DQUOTE ] "sep=" sign [ DQUOTE ] newline */
static bool is_said(struct slice head, char *ret)
{
	static const unsigned char mark[] = { 0xef, 0xbb, 0xbf }; /* of UTF-8 */
	struct slice line = head, rest;
	bool quoted;

	(void)slice_strip(&line, slice_of(mark, sizeof(mark)));
	quoted = slice_strip(&line, SLICE("\""));
	if (!slice_starts_nocase(line, SLICE("sep=")) || line.n < 6)
		return false;
	*ret = line.p[4];
	rest = slice_skip(line, 5);
	if (quoted && !slice_strip(&rest, SLICE("\"")))
		return false;
	return rest.n && (*rest.p == '\r' || *rest.p == '\n') && *ret > '\0' &&
	       !strchr("\r\n\" ", *ret);
}

struct separator separator_find(struct slice head, bool whole, separator_known known, void *arg)
{
	struct separator best = { .sign = ',' };
	unsigned most = 0, n;

	if (is_said(head, &best.sign)) {
		best.line = true;
		return best;
	}
	best.sign = ',';
	for (size_t i = 0; i < sizeof(signs); i++) {
		n = score(signs[i], head, whole, known, arg);
		if (n > most) {
			most = n;
			best.sign = signs[i];
		}
	}
	return best;
}
