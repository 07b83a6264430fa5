/* spool/cli/proofs.c - "spool verify" and "spool audit": from the files alone, while the
 * engine runs or not. */
#include <stdio.h>

#include "spool/audit.h"
#include "spool/cli/cli.h"
#include "spool/report.h"

static int put_segment(void *arg, const struct spool_verify_segment *seg)
{
	struct branch *row;

	if (!seg->damaged && !seg->torn)
		return 0;
	row = branch_map(arg, NULL);
	branch_str(row, "name", seg->name);
	branch_int(row, "damaged", (int64_t)seg->damaged);
	branch_int(row, "damaged_bytes", (int64_t)seg->damaged_bytes);
	branch_int(row, "first_damage", (int64_t)seg->first_damage);
	branch_bool(row, "torn", seg->torn);
	(void)fprintf(stderr, "%s: %s at offset %llu\n", seg->name,
		      seg->damaged ? "damaged" : "torn tail",
		      (unsigned long long)seg->first_damage);
	return 0;
}

static int no_spool(struct cli *c, int r, const char *segment, uint64_t offset)
{
	if (*segment)
		(void)snprintf(c->error, sizeof(c->error),
			       "%s/%s, offset %llu: %s; see postern spool verify", c->spool_path,
			       segment, (unsigned long long)offset, err_text(r));
	else
		(void)snprintf(c->error, sizeof(c->error),
			       "cannot read the spool %s: %s; name it with --spool", c->spool_path,
			       err_text(r));
	return r;
}

int offline_verify(struct cli *c, struct tree *out)
{
	struct branch *b = tree_map(out);
	struct spool_verify v = { 0 };
	int r;

	branch_str(b, "spool", c->spool_path);
	r = spool_verify(c->spool_path, NULL, put_segment, branch_list(b, "segments_with_damage"),
			 &v);
	if (r < 0)
		return no_spool(c, r, "", 0);
	branch_int(b, "segments", (int64_t)v.segments);
	branch_int(b, "records", (int64_t)v.records);
	branch_int(b, "bytes", (int64_t)v.bytes);
	branch_int(b, "damaged", (int64_t)v.damaged);
	branch_int(b, "damaged_bytes", (int64_t)v.damaged_bytes);
	branch_bool(b, "torn_tail", v.torn);
	branch_bool(b, "sound", !v.damaged);
	return v.damaged != 0;
}

int offline_audit(struct cli *c, struct tree *out)
{
	struct branch *b = tree_map(out);
	struct spool_audit a = { 0 };
	int r = spool_audit(c->spool_path, NULL, &a);

	if (r < 0)
		return no_spool(c, r, a.bad_segment, a.bad_offset);
	branch_str(b, "spool", c->spool_path);
	report_totals(b, &a.books);
	branch_int(b, "missing", a.missing);
	branch_int(b, "ended_twice", (int64_t)a.ended_twice);
	branch_int(b, "revived", (int64_t)a.revived);
	branch_int(b, "accepted_twice", (int64_t)a.accepted_twice);
	branch_int(b, "returned_twice", (int64_t)a.returned_twice);
	branch_int(b, "missing_mails", a.missing_mails);
	branch_int(b, "without_content", (int64_t)a.without_content);
	branch_int(b, "headers_differ", (int64_t)a.headers_differ);
	branch_int(b, "jobs_live", (int64_t)a.jobs_live);
	branch_int(b, "segments", (int64_t)a.segments);
	branch_int(b, "records", (int64_t)a.records);
	branch_int(b, "bytes", (int64_t)a.bytes);
	branch_bool(b, "balanced", a.balanced);
	return !a.balanced;
}
