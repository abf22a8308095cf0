-- What warming the cache needs: what is requested most, and that one instance of
-- a fleet does it.
--
-- The heat of a key is the logarithm of its weight at a fixed moment, from which
-- on all weights shrink alike: keys are in the same order at every moment, and
-- nothing has to be written for time to pass.

-- +goose Up
CREATE TABLE requested_keys (
    key  text NOT NULL PRIMARY KEY,
    heat real NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX requested_keys_heat ON requested_keys (heat, key);

CREATE TABLE fleet_tasks (
    name        text NOT NULL PRIMARY KEY,
    holder      text NOT NULL,
    until       integer NOT NULL,
    finished_at integer
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE fleet_tasks;
DROP TABLE requested_keys;
