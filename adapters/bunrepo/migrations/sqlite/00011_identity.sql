-- How users sign in, and who is signed in. Secrets are kept as hashes: of passwords
-- as Argon2 makes them, of random ones as SHA-256. A session is good for as long as
-- its row is there: a revocation is the removal of a row, and nothing is lost with a
-- cache.

-- +goose Up
ALTER TABLE api_tokens ADD COLUMN expires_at integer; -- NULL: never
ALTER TABLE api_tokens ADD COLUMN last_used_at integer; -- NULL: never, or before this was noted

-- Not of every user: only of those who can sign in, or were told not to.
CREATE TABLE accounts (
    user_id       text NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    password_hash text NOT NULL DEFAULT '', -- '': no password
    disabled      integer NOT NULL DEFAULT 0,
    last_sign_in  integer
) STRICT;

CREATE TABLE account_identities (
    issuer  text NOT NULL,
    subject text NOT NULL,
    user_id text NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
    PRIMARY KEY (issuer, subject)
) STRICT;
CREATE INDEX account_identities_user ON account_identities (user_id);

-- A family of refresh tokens: the one in force, and the one before.
CREATE TABLE sessions (
    id            text NOT NULL PRIMARY KEY,
    user_id       text NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
    method        text NOT NULL,
    token_hash    blob NOT NULL,
    previous_hash blob,
    created_at    integer NOT NULL,
    rotated_at    integer NOT NULL,
    expires_at    integer NOT NULL
) STRICT;
CREATE INDEX sessions_user ON sessions (user_id, rotated_at, id);
CREATE INDEX sessions_expired ON sessions (expires_at);

-- Attempts to sign in since the last that succeeded, by name, known or not.
CREATE TABLE sign_in_attempts (
    name_key      blob NOT NULL PRIMARY KEY,
    attempts      integer NOT NULL,
    last_at       integer NOT NULL,
    blocked_until integer NOT NULL
) STRICT;
CREATE INDEX sign_in_attempts_last ON sign_in_attempts (last_at);

-- The one row is locked by whoever may make the first administrator.
CREATE TABLE first_run (one integer NOT NULL PRIMARY KEY CHECK (one = 1)) STRICT;
INSERT INTO first_run (one) VALUES (1);

CREATE TABLE first_run_links (
    hash       blob NOT NULL PRIMARY KEY,
    expires_at integer NOT NULL
) STRICT;

-- +goose Down
DROP TABLE first_run_links;
DROP TABLE first_run;
DROP TABLE sign_in_attempts;
DROP TABLE sessions;
DROP TABLE account_identities;
DROP TABLE accounts;
ALTER TABLE api_tokens DROP COLUMN last_used_at;
ALTER TABLE api_tokens DROP COLUMN expires_at;
