/* message/expand.h - runs a program; previews give it a root value as well. */
#pragma once
#include "message/ops.h"
#include "message/program.h"

enum { PROGRAM_OUT_MAX = 64 * 1024 * 1024 };

/* root is the value of {{.}} outside of any section; NULL: nothing. */
int expand_program(const struct program *p, const struct expand_input *in, const struct value *root,
		   struct buf *out) MUST_CHECK;
