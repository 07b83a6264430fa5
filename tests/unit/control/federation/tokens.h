/* tests/unit/control/federation/tokens.h - a set of public keys, and what was signed with them, by
 * another implementation (python3-cryptography). */
#pragma once

#define TOKEN_KEYS                                                                                 \
	"{\"keys\":[{\"kid\":\"r\",\"use\":\"sig\",\"alg\":\"RS256\",\"kty\":\"RSA\",\"n\":\""     \
	"kOR6guvO21AQ0ucql7szS_Dn3LJ-Z6Y-SnLi7WF2KSskcKQuhWJ5M_vCynC-HdZP2RX7NADJ4hEuqX_LoGyq"     \
	"iRHNDTJZcjp8OkMi2tYNVZ7X3__C3M3psXAsYuGv2gg6LpLEbX_6J6d_ZhuzM7DTpBptOAk-Lb3Dc92xuKKy"     \
	"f5rReHT9RBQ8gnWMPvjilPapYHHEkV--wTrbBFFqItTBNiCSx69DNCkmn5lXVGYv8U43lzMThCaGBNHyOY1L"     \
	"Xv8TDKNSRH9nfpoZjKdYJJOTD0J0KO66zSYypddrXhcGkWgMbU3QztN_nIaQt3WHySmFcBzlOUW4mssdmhet"     \
	"Hy1anQ\",\"e\":\"AQAB\"},{\"kid\":\"e\",\"use\":\"sig\",\"alg\":\"ES256\",\"kty\":\""     \
	"EC\",\"crv\":\"P-256\",\"x\":\"9qi4tJJACoi43zlLEZxtWLJ8wt7WhwWbdgMm6dLkYBQ\",\"y\":"      \
	"\"KBjBlAGAkRQEyPPSxVmZ5Oo8kkdBSnZ4ZOVDdL9Lbco\"},{\"kid\":\"d\",\"use\":\"sig\",\"al"     \
	"g\":\"EdDSA\",\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"MLbP6Y45QXt7Vt7AIKD7JZPzHw"     \
	"KMoF65cdsxU4C-pa8\"}]}"
#define TOKEN_RS256                                                                                \
	"eyJhbGciOiJSUzI1NiIsImtpZCI6InIifQ.eyJieSI6IlJTMjU2In0.fW0Q0eAyjrBFbAQSjf_bc6RWLq2h0"     \
	"qpPKJjw2geCAkEaPkWDlEvz8gNOwLpYCMZFk9yUHV5Izhu9ar0NgkP0cup0rFB1LZU8iyGReL981NP4Euzme"     \
	"AFRtJgIq89qd6JDxeNoK2WfmwUqK8ClPWvLfAn8Q2eFOi1dmPQAux_EIbedMhkRw6GFToIFuWJcf1mbFT3Jo"     \
	"cUnkfroc7v1nRF7oLWEZ9W7BVEytfhaUOBtIdNlnqrkOHxRisGCqZ9JErD_tOrlh6IF5LrGd8YdWvJB2wfvw"     \
	"BBihMFMdJF0A1g9d-cOgOKf0CkpZLMrWTgZo0RcWn17T27QV9UAVRqr4KZpJA"
#define TOKEN_ES256                                                                                \
	"eyJhbGciOiJFUzI1NiIsImtpZCI6ImUifQ.eyJieSI6IkVTMjU2In0.QRiyI4eCrlkvkcvY2coy8XjZ-A8S9"     \
	"Xh9pQkS_6BcqydaaGrNHPR6RXtxD4tKrDu_qav3aXgqPX8pUjhEO-juaw"
#define TOKEN_EDDSA                                                                                \
	"eyJhbGciOiJFZERTQSIsImtpZCI6ImQifQ.eyJieSI6IkVkRFNBIn0.F0SS5B1lPpNAMf3fRkCwN60R3WQtX"     \
	"bXykSxjzAX1RT-fFt0khZpBdWXpiHd09uDT_MSOpsxv4v1N1raEc7_ZCQ"
