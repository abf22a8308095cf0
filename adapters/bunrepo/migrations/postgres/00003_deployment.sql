-- The cache settings that all instances follow, and who is alive. A move from one
-- setting to another has steps; other_* are the settings that writers honour
-- besides while it lasts.

-- +goose Up
CREATE TABLE cache_settings (
    id            integer PRIMARY KEY CHECK (id = 1),
    revision      bigint NOT NULL,
    step          text NOT NULL,
    mode          text NOT NULL,
    ttl_ms        bigint NOT NULL,
    l1_ttl_ms     bigint NOT NULL,
    other_mode    text NOT NULL DEFAULT '', -- '' if there are none
    other_ttl_ms  bigint NOT NULL DEFAULT 0,
    other_l1_ttl_ms bigint NOT NULL DEFAULT 0,
    chosen        boolean NOT NULL DEFAULT false, -- by an operator
    former_ttl_ms bigint NOT NULL DEFAULT 0, -- of entries that may still be cached …
    former_until  timestamptz NOT NULL -- … until then
);
INSERT INTO cache_settings (id, revision, step, mode, ttl_ms, l1_ttl_ms, former_until) VALUES (1, 0, '', '', 0, 0, 'epoch');

CREATE TABLE instances (
    id        uuid PRIMARY KEY,
    name      text NOT NULL,
    seat      text NOT NULL, -- the lock that the instance holds alone, '' if it holds none
    has_redis boolean NOT NULL,
    revision  bigint NOT NULL, -- of the settings that the instance follows
    until     timestamptz NOT NULL -- alive until then, by the clock of this server
);

-- +goose Down
DROP TABLE instances;
DROP TABLE cache_settings;
