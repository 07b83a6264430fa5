-- The name under which an address is suppressed (control/suppression/address.h).

-- part: suppress_hash(text)
substring(sha256(convert_to(:text, 'UTF8')) for 16)
