-- How users sign in, and who is signed in. Secrets are kept as hashes: of passwords
-- as Argon2 makes them, of random ones as SHA-256. A session is good for as long as
-- its row is there: a revocation is the removal of a row, and nothing is lost with a
-- cache.

-- +goose Up
ALTER TABLE api_tokens ADD COLUMN expires_at timestamptz; -- NULL: never
ALTER TABLE api_tokens ADD COLUMN last_used_at timestamptz; -- NULL: never, or before this was noted

-- Not of every user: only of those who can sign in, or were told not to.
CREATE TABLE accounts (
    user_id       uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    password_hash text NOT NULL DEFAULT '', -- '': no password
    disabled      boolean NOT NULL DEFAULT false,
    last_sign_in  timestamptz
);

CREATE TABLE account_identities (
    issuer  text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    user_id uuid NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX account_identities_user ON account_identities (user_id);

-- A family of refresh tokens: the one in force, and the one before.
CREATE TABLE sessions (
    id            uuid PRIMARY KEY,
    user_id       uuid NOT NULL REFERENCES accounts (user_id) ON DELETE CASCADE,
    method        text NOT NULL,
    token_hash    bytea NOT NULL,
    previous_hash bytea,
    created_at    timestamptz NOT NULL,
    rotated_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id, rotated_at, id);
CREATE INDEX sessions_expired ON sessions (expires_at);

-- Attempts to sign in since the last that succeeded, by name, known or not.
CREATE TABLE sign_in_attempts (
    name_key      bytea PRIMARY KEY,
    attempts      integer NOT NULL,
    last_at       timestamptz NOT NULL,
    blocked_until timestamptz NOT NULL
);
CREATE INDEX sign_in_attempts_last ON sign_in_attempts (last_at);

-- The one row is locked by whoever may make the first administrator.
CREATE TABLE first_run (one integer PRIMARY KEY CHECK (one = 1));
INSERT INTO first_run (one) VALUES (1);

CREATE TABLE first_run_links (
    hash       bytea PRIMARY KEY,
    expires_at timestamptz NOT NULL
);

-- +goose Down
DROP TABLE first_run_links;
DROP TABLE first_run;
DROP TABLE sign_in_attempts;
DROP TABLE sessions;
DROP TABLE account_identities;
DROP TABLE accounts;
ALTER TABLE api_tokens DROP COLUMN last_used_at;
ALTER TABLE api_tokens DROP COLUMN expires_at;
