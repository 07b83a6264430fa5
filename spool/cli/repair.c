/* spool/cli/repair.c - "spool repair": shows what is damaged and what it held; with --yes sets it
 * aside and lets the rest run. */
#include <stdio.h>

#include "spool/cli/cli.h"
#include "spool/repair.h"
#include "spool/report.h"

struct listing {
	struct branch *places, *records; /* records: of the place at hand */
	uint64_t left;
	bool text;
};

static void list_place(void *arg, const struct spool_repair_place *p)
{
	struct listing *l = arg;
	struct branch *b = branch_map(l->places, NULL);

	branch_str(b, "segment", p->segment);
	branch_int(b, "offset", (int64_t)p->offset);
	branch_int(b, "bytes", (int64_t)p->bytes);
	branch_bool(b, "header", p->header);
	branch_str(b, "set_aside_as", p->aside);
	l->records = branch_list(b, "records");
	if (!l->text)
		return;
	(void)printf("%s, offset %llu: %llu bytes%s%s%s\n", p->segment,
		     (unsigned long long)p->offset, (unsigned long long)p->bytes,
		     p->header ? " (the header of the segment)" : "",
		     *p->aside ? ", set aside as " : "", p->aside);
}

static void list_record(void *arg, const struct spool_repair_record *r)
{
	struct listing *l = arg;
	bool outcome = strcmp(r->type, "outcome") == 0;
	char id[ID_TEXT_MAX];
	struct branch *b;

	if (!l->left)
		return;
	l->left--;
	b = branch_map(l->records, NULL);
	branch_str(b, "type", r->type);
	branch_bool(b, "copy", r->copy);
	if (r->id.hi || r->id.lo)
		branch_str(b, "id", id_format(r->id, id));
	if (r->rows)
		branch_int(b, "rows", r->rows);
	if (outcome && r->kind) {
		branch_int(b, "row", r->row);
		branch_str(b, "kind", spool_event_name(r->kind));
	}
	if (r->text.n)
		branch_slice(b, "text", r->text);
	if (!l->text)
		return;
	(void)printf("  %s%s", r->copy ? "copy of a " : "", r->type);
	if (r->id.hi || r->id.lo)
		(void)printf(" %s", id_format(r->id, id));
	if (r->rows)
		(void)printf(", recipients: %u", r->rows);
	if (outcome && r->kind)
		(void)printf(", recipient %u: %s", r->row, spool_event_name(r->kind));
	(void)puts("");
}

static void put_counts(struct branch *b, const struct spool_repair *v)
{
	branch_int(b, "places", (int64_t)v->places);
	branch_int(b, "damaged_bytes", (int64_t)v->bytes);
	branch_int(b, "legible_records", (int64_t)v->records);
	branch_int(b, "jobs", (int64_t)v->jobs);
	branch_int(b, "recipients_of_jobs", (int64_t)v->rows);
	branch_int(b, "contents", (int64_t)v->contents);
	branch_int(b, "outcomes", (int64_t)v->outcomes);
}

static int failed(const struct cli *c, const struct spool_repair *v, int r)
{
	(void)fprintf(stderr, "postern: %s%s%s, offset %llu: %s (%s)\n", c->spool_path,
		      *v->bad_segment ? "/" : "", v->bad_segment, (unsigned long long)v->bad_offset,
		      v->reason ? v->reason : "it cannot be read", err_text(r));
	return EXIT_NO;
}

static const char *advice(const struct cli *c, const struct spool_repair *v)
{
	if (c->yes)
		return "the spool can be opened; see postern spool audit";
	if (v->places)
		return "nothing was changed; add --yes to set this aside, with the engine stopped";
	return "no damage was found";
}

int cmd_repair(struct cli *c)
{
	OWNED(tree) out = tree_new();
	struct branch *b = tree_map(out);
	struct listing l = { .left = c->max, .text = !c->json };
	struct spool_repair v;
	struct spool_repair_options o = { .dir = c->spool_path,
					  .apply = c->yes,
					  .each_place = list_place,
					  .each_record = list_record,
					  .arg = &l };
	int r;

	branch_str(b, "spool", c->spool_path);
	l.places = branch_list(b, "damage");
	r = spool_repair(&o, &v);
	if (r < 0)
		return failed(c, &v, r);
	put_counts(b, &v);
	branch_bool(b, "done", c->yes);
	if (c->yes) {
		branch_int(b, "cancelled_without_content", (int64_t)v.cancelled);
		report_totals(branch_map(b, "books"), &v.books);
	}
	if (c->json) {
		print_json(tree_value(out));
	} else {
		OWNED(tree) text = tree_new();
		put_counts(tree_map(text), &v);
		if (c->yes) {
			branch_int(tree_map(text), "cancelled_without_content",
				   (int64_t)v.cancelled);
			report_totals(branch_map(tree_map(text), "books"), &v.books);
		}
		print_pairs(tree_value(text));
		(void)puts(advice(c, &v));
	}
	return !c->yes && v.places ? EXIT_NO : EXIT_DONE;
}
