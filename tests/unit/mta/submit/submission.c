/* Unit tests of mta/submit share it; see the header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/mta/smtpd/talk.h"
#include "tests/unit/mta/submit/submission.h"

int submission_greeted(void)
{
	return talk_greeted(2525, NULL);
}

uint64_t submission_accepted(struct box *b)
{
	struct books k;

	spool_books(engine_spool(b->engine), &k);
	return k.accepted;
}

void submission_only_job(struct box *b, struct buf *message, struct buf *rows,
			 struct wire_content_meta *cm, struct buf *cm_bytes, struct buf *job_meta,
			 struct job_info *info)
{
	struct spool *sp = engine_spool(b->engine);
	uint64_t cursor = 0;
	job_no job;

	assert_int_equal(spool_next_job(sp, &cursor, &job), 0);
	assert_int_equal(spool_job_info(sp, job, info), 0);
	assert_int_equal(spool_read_job(sp, job, job_meta, rows), 0);
	assert_int_equal(spool_read_content(sp, info->content, cm_bytes, message), 0);
	assert_int_equal(wire_content_meta_get(buf_data(cm_bytes), cm), 0);
	assert_int_equal(spool_next_job(sp, &cursor, &job), E_UNKNOWN);
}
