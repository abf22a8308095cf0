-- Jobs that put many images in force: what is wanted, and what became of it. They
-- are kept here, so that another instance can go on where one has died; the
-- idempotency key tells it what that one still did.

-- +goose Up
ALTER TABLE history ADD COLUMN idempotency_key uuid;
CREATE UNIQUE INDEX history_once ON history (idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE TABLE bulk_jobs (
    id           uuid PRIMARY KEY,
    actor        text NOT NULL, -- who wants it, as a JSON object
    total        integer NOT NULL,
    created_at   timestamptz NOT NULL,
    started_at   timestamptz,
    finished_at  timestamptz,
    holder       text NOT NULL DEFAULT '', -- who works at it …
    until        timestamptz NOT NULL -- … until then, by the clock of this server
);
CREATE INDEX bulk_jobs_open ON bulk_jobs (created_at, id) WHERE finished_at IS NULL;
CREATE INDEX bulk_jobs_finished ON bulk_jobs (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE bulk_items (
    job_id       uuid NOT NULL REFERENCES bulk_jobs (id) ON DELETE CASCADE,
    n            integer NOT NULL, -- counted from 0
    subject_kind text NOT NULL,
    subject_id   uuid NOT NULL,
    slot         text NOT NULL,
    url          text NOT NULL, -- '' if the image is named by its id
    image_id     uuid,
    provider     text NOT NULL,
    PRIMARY KEY (job_id, n)
);

CREATE TABLE bulk_results (
    job_id  uuid NOT NULL,
    n       integer NOT NULL,
    tag     text NOT NULL, -- '' if it failed
    problem text NOT NULL, -- the kind of error, '' if there was none
    detail  text NOT NULL,
    PRIMARY KEY (job_id, n),
    FOREIGN KEY (job_id, n) REFERENCES bulk_items (job_id, n) ON DELETE CASCADE
);

-- +goose Down
DROP TABLE bulk_results;
DROP TABLE bulk_items;
DROP TABLE bulk_jobs;
DROP INDEX history_once;
ALTER TABLE history DROP COLUMN idempotency_key;
