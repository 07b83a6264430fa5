/* message/compile.h - turns one part of a template into ops; template.h and compose.h use it. */
#pragma once
#include "message/build.h"
#include "message/template.h"

struct compile; /* what the parts share: fields, partials */

struct compile *compile_new(const struct template_env *env, struct build *build,
			    struct template_error *error) __attribute__((returns_nonnull));
struct compile *compile_free(struct compile *c);
DEFINE_OWNED(compile)

/* Emits the ops of a part and notes which partials it calls. */
int compile_part(struct compile *c, enum template_part part, struct slice source) MUST_CHECK;
/* Emits the noted partials behind the OP_RETURN that ends the message, and joins calls to them. */
int compile_end(struct compile *c) MUST_CHECK;
/* An error about the part as a whole. */
int compile_refuse(struct template_error *error, enum template_part part, int code,
		   const char *text) MUST_CHECK;
