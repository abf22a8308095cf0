-- The cache settings that all instances follow, and who is alive. A move from one
-- setting to another has steps; other_* are the settings that writers honour
-- besides while it lasts.

-- +goose Up
CREATE TABLE cache_settings (
    id            integer PRIMARY KEY CHECK (id = 1),
    revision      integer NOT NULL,
    step          text NOT NULL,
    mode          text NOT NULL,
    ttl_ms        integer NOT NULL,
    l1_ttl_ms     integer NOT NULL,
    other_mode    text NOT NULL DEFAULT '', -- '' if there are none
    other_ttl_ms  integer NOT NULL DEFAULT 0,
    other_l1_ttl_ms integer NOT NULL DEFAULT 0,
    chosen        integer NOT NULL DEFAULT 0, -- by an operator
    former_ttl_ms integer NOT NULL DEFAULT 0, -- of entries that may still be cached …
    former_until  integer NOT NULL -- … until then
) STRICT;
INSERT INTO cache_settings (id, revision, step, mode, ttl_ms, l1_ttl_ms, former_until) VALUES (1, 0, '', '', 0, 0, 0);

CREATE TABLE instances (
    id        text NOT NULL PRIMARY KEY,
    name      text NOT NULL,
    seat      text NOT NULL, -- the lock that the instance holds alone, '' if it holds none
    has_redis integer NOT NULL,
    revision  integer NOT NULL, -- of the settings that the instance follows
    until     integer NOT NULL -- alive until then
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE instances;
DROP TABLE cache_settings;
