/* control/auth/guessable.h - is a password among those that are tried first?
 *
 * A password is read as the cheapest row of words from a list of common passwords and names, of
 * what the person or organisation is called, of runs (abcd, 9876, qwerty, 1qaz), of repetitions,
 * years and single characters; letters stand for the signs that look like them.  Each has its price
 * in bits, the logarithm of how many there are of it.  What costs less than GUESSABLE_BITS is
 * refused: 2^28 guesses are minutes of work on a stolen hash, and the password was not a secret.
 *
 * The list (common_passwords.txt, the most common first) was made from the ranked lists of zxcvbn
 * (Dropbox, MIT; Debian: python3-zxcvbn) and of John the Ripper (Openwall, public domain; Debian:
 * john-data).
 *
 * Threads: any.
 * Limits: knows English words only where many people use them as passwords. */
#pragma once
#include "base/base.h"

enum { GUESSABLE_BITS = 28, GUESSABLE_ABOUT_MAX = 8 };

/* Tenths of bits; about: what others know of the person, whole or in words. */
int guessable_cost(struct slice password, const struct slice *about, size_t n_about);
bool guessable_password(struct slice password, const struct slice *about, size_t n_about);

/* common_passwords.txt */
extern const char guessable_list[];
extern const size_t guessable_list_n;
