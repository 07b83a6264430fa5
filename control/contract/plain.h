/* control/contract/plain.h - text as people give it for names and subjects.
 * Limits: plain_line() does not judge what a line says; signs that look alike pass. */
#pragma once
#include "base/base.h"

/* Characters, which are code points: what maxLength counts (JSON Schema). */
size_t plain_length(struct slice s);
/* UTF-8 without C0 controls and DEL; with lines also \t \n \r. */
bool plain_text(struct slice s, bool lines);
/* One line, whoever shows it: none of the controls (C0, C1), no separator of lines or paragraphs,
 * and no control of direction (Bidi_Control), with which a name can look like another. */
bool plain_line(struct slice s);
