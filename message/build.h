/* message/build.h - writes the bytes of a program (message/ops.h).
 * Owns:  its bufs; build_free() gives them back.  Names of fields are copied by build_finish().
 * Fails: E_LIMIT past a bound of ops.h, -ENOMEM. */
#pragma once
#include "message/escape.h"
#include "message/ops.h"

enum build_mode {
	BUILD_RAW,    /* literals as they are */
	BUILD_HEADER, /* header text, encoded when expanded */
	BUILD_BODY,   /* quoted-printable */
};

struct build {
	enum build_mode mode;
	struct buf text; /* literal text not yet written as an op */
	struct buf ops, pool, paths;
	struct buf fields, names; /* arrays of struct slice */
	bool raw;
};

void build_init(struct build *b, bool raw);
void build_free(struct build *b);
static inline uint32_t build_op_count(const struct build *b)
{
	return (uint32_t)(buf_len(&b->ops) / sizeof(struct op));
}
static inline unsigned build_field_count(const struct build *b)
{
	return (unsigned)(buf_len(&b->fields) / sizeof(struct slice));
}
struct op *build_op_at(struct build *b, uint32_t i);

int build_text(struct build *b, struct slice text) MUST_CHECK; /* kept until an op comes */
int build_op(struct build *b, struct op op) MUST_CHECK;        /* index of the op, or an error */
/* Index of a field, made when new; the slice must live until build_finish. */
int build_field(struct build *b, struct slice name) MUST_CHECK;
int build_path(struct build *b, const struct slice *parts, unsigned n, uint32_t *ret_at) MUST_CHECK;
/* Appends the program. */
int build_finish(struct build *b, struct buf *out) MUST_CHECK;
