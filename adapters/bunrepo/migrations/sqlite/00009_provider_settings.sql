-- How admins have set up the providers of images. One count numbers the changes of all
-- providers, so that an instance sees by a single number whether there was any.

-- +goose Up
CREATE TABLE provider_settings (
    provider text NOT NULL PRIMARY KEY,
    revision integer NOT NULL, -- of its latest change
    settings text NOT NULL -- a JSON object by field; keys are sealed by the deployment's secret
) STRICT, WITHOUT ROWID;

CREATE TABLE provider_settings_revision (
    id       integer PRIMARY KEY CHECK (id = 1),
    revision integer NOT NULL
) STRICT;
INSERT INTO provider_settings_revision (id, revision) VALUES (1, 0);

-- +goose Down
DROP TABLE provider_settings_revision;
DROP TABLE provider_settings;
