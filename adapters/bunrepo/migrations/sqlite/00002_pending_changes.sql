-- Changes that were committed under a fence of the cache, until their writer has
-- told the cache of them. Who finds one past its deadline tells it instead.

-- +goose Up
CREATE TABLE cache_pending (
    token      text NOT NULL PRIMARY KEY,
    keys       text NOT NULL, -- a JSON array of the names of the fenced keys
    deadline   integer NOT NULL,
    created_at integer NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX cache_pending_deadline ON cache_pending (deadline, token);

-- +goose Down
DROP TABLE cache_pending;
