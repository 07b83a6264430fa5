/* message/ops.h - the bytes of a program; only message/ reads them.
 *
 *	program = "PPG1" flags:u16 n_fields:u16 n_names:u32 n_paths:u32 n_ops:u32 pool:u32
 *	          n_fields * string, n_names * string, n_paths * name:u16, n_ops * op, pool bytes
 *	string  = n:u16 n bytes
 *	op      = kind:u8 escape:u8 ref:u8 n_path:u8 field:u16 zero:u16 a:u32 b:u32
 *
 * All numbers are little-endian.  Ops form routines, and OP_RETURN ends each.  The first routine is
 * the message, the others are partials.  Literals lie in the pool in the order of their ops.
 *
 *	LITERAL   a, b: offset and length in the pool; escape: LITERAL_TEXT for header text
 *	SLOT      ref, n_path, field, b: path; escape: how the value is written
 *	SECTION, INVERTED   the same ref; a: index of its END        END  a: index of its SECTION
 *	CALL      a: index of a routine's first op
 *	ENGINE    a: enum engine_value
 *	HEADER    a: column; text up to HEADER_END is collected, then folded or encoded
 *	GROUP     what follows up to GROUP_END is taken back when a URL in it was unfit
 *	BODY      everything up to BODY_END is quoted-printable; BODY_END a: 1 at the end */
#pragma once
#include "base/base.h"

enum op_kind {
	OP_LITERAL = 1,
	OP_SLOT,
	OP_SECTION,
	OP_INVERTED,
	OP_END,
	OP_CALL,
	OP_RETURN,
	OP_ENGINE,
	OP_HEADER,
	OP_HEADER_END,
	OP_GROUP,
	OP_GROUP_END,
	OP_BODY,
	OP_BODY_END,
	OP_KINDS,
};
enum ref_kind {
	REF_FIELD = 1, /* a field of the row, then the path */
	REF_STACK,     /* path[0] in the innermost section that has it, else the field */
	REF_TOP,       /* {{.}} */
	REF_KINDS,
};
enum engine_value { ENGINE_DATE, ENGINE_TO, ENGINE_MESSAGE_ID, ENGINE_VALUES };
enum { LITERAL_PLAIN, LITERAL_TEXT };
enum { FIELD_EMAIL = 0xfffe, FIELD_NONE = 0xffff };
enum { PROGRAM_RAW = 1 }; /* flags: one part for a preview, not 7-bit, not a message */

enum {
	PROGRAM_HEAD = 24,
	PROGRAM_OP = 16,
	PROGRAM_OPS_MAX = 65536,
	PROGRAM_NAMES_MAX = 16384,
	PROGRAM_PATHS_MAX = 65536,
	PROGRAM_NAME_MAX = 255,
	PROGRAM_POOL_MAX = 32 * 1024 * 1024,
	PROGRAM_LINE_MAX = 998,
	PROGRAM_HEADER_MAX = 2000, /* bytes of a header's text before it is encoded */
	PROGRAM_PATH_MAX = 16,     /* parts of a dotted name */
};

struct op {
	uint8_t kind, escape, ref, n_path;
	uint16_t field;
	uint32_t a, b;
	/* LITERAL, made when loaded: has line ends; bytes before the first, after the last */
	bool breaks;
	uint32_t head, tail;
};

struct program {
	struct op *ops;
	struct slice *fields, *names;
	uint16_t *paths;
	struct slice pool;
	uint32_t n_ops, n_names, n_paths, n_fields;
	bool raw;
};

static inline uint16_t ops_u16(const char *p)
{
	return (uint16_t)((unsigned char)p[0] | (unsigned char)p[1] << 8);
}
static inline uint32_t ops_u32(const char *p)
{
	return ops_u16(p) | (uint32_t)ops_u16(p + 2) << 16;
}
