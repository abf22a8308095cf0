-- What warming the cache needs: what is requested most, and that one instance of
-- a fleet does it.
--
-- The heat of a key is the logarithm of its weight at a fixed moment, from which
-- on all weights shrink alike: keys are in the same order at every moment, and
-- nothing has to be written for time to pass.

-- +goose Up
CREATE TABLE requested_keys (
    key  text COLLATE "C" PRIMARY KEY,
    heat double precision NOT NULL
);
CREATE INDEX requested_keys_heat ON requested_keys (heat, key);

CREATE TABLE fleet_tasks (
    name        text COLLATE "C" PRIMARY KEY,
    holder      text NOT NULL,
    until       timestamptz NOT NULL, -- the claim holds until then, by the clock of this server
    finished_at timestamptz
);

-- +goose Down
DROP TABLE fleet_tasks;
DROP TABLE requested_keys;
