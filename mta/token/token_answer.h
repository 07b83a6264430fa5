/* mta/token/token_answer.h - what a token endpoint answers: RFC 6749 sections 5.1 and 5.2.
 * Owns:   nothing; the caller wipes the struct.
 * Fails:  E_SYNTAX: it is no such answer; E_DENIED: it says why it gives none.  `fault` says it.
 * Limits: AUTH_SECRET_MAX bytes of a token, a life of a day at most. */
#pragma once
#include "mta/smtp/auth.h"

enum { ANSWER_FAULT_MAX = 160, ANSWER_LIFE_S = 300, ANSWER_LIFE_MAX_S = 86400 };
struct token_answer {
	char token[AUTH_SECRET_MAX + 1];
	char refresh[AUTH_SECRET_MAX + 1]; /* another one from now on; "": the same */
	int64_t life_s;                    /* ANSWER_LIFE_S where it does not say */
	char fault[ANSWER_FAULT_MAX];      /* printable */
};
int token_answer_read(struct slice json, struct token_answer *ret) MUST_CHECK;
