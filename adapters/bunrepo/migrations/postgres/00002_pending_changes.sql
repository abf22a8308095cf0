-- Changes that were committed under a fence of the cache, until their writer has
-- told the cache of them. Who finds one past its deadline tells it instead.

-- +goose Up
CREATE TABLE cache_pending (
    token      text COLLATE "C" PRIMARY KEY,
    keys       text NOT NULL, -- a JSON array of the names of the fenced keys
    deadline   timestamptz NOT NULL, -- by the clock of this server
    created_at timestamptz NOT NULL
);
CREATE INDEX cache_pending_deadline ON cache_pending (deadline, token);

-- +goose Down
DROP TABLE cache_pending;
