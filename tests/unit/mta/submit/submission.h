/* tests/unit/mta/submit/submission.h - what tests ask of the submission listener of an engine
 * (tests/unit/mta/engine_box.h), and of what it took. */
#pragma once
#include "schema/wire/meta.h"
#include "tests/unit/mta/engine_box.h"

int submission_greeted(void);                /* a session after EHLO */
uint64_t submission_accepted(struct box *b); /* recipients */
/* Content and rows of the only job; what cm points to is in cm_bytes. */
void submission_only_job(struct box *b, struct buf *message, struct buf *rows,
			 struct wire_content_meta *cm, struct buf *cm_bytes, struct buf *job_meta,
			 struct job_info *info);
