-- Jobs that fill empty slots: how far each is, what it has to say of subjects, and what
-- was learned of slots, which stays when jobs are forgotten.

-- +goose Up
CREATE TABLE fill_jobs (
    id          uuid PRIMARY KEY,
    actor       text NOT NULL, -- who wants it, as a JSON object
    slot        text NOT NULL,
    dry_run     boolean NOT NULL,
    min_score   double precision NOT NULL,
    again       boolean NOT NULL,
    of_job      uuid, -- the dry run that is carried out; it may be forgotten earlier
    state       text NOT NULL,
    reason      text NOT NULL DEFAULT '',
    counts      text NOT NULL, -- a JSON object
    round       integer NOT NULL DEFAULT 0,
    reached     uuid, -- the last subject that was dealt with in this round
    created_at  timestamptz NOT NULL,
    started_at  timestamptz,
    finished_at timestamptz,
    holder      text NOT NULL DEFAULT '', -- who works at it …
    until       timestamptz NOT NULL -- … until then, by the clock of this server
);
CREATE INDEX fill_jobs_open ON fill_jobs (created_at, id) WHERE finished_at IS NULL;
CREATE INDEX fill_jobs_created ON fill_jobs (created_at, id);
CREATE INDEX fill_jobs_finished ON fill_jobs (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE fill_items (
    job_id     uuid NOT NULL REFERENCES fill_jobs (id) ON DELETE CASCADE,
    subject_id uuid NOT NULL,
    name       text NOT NULL,
    artist     text NOT NULL, -- of an album
    outcome    text NOT NULL,
    candidate  text NOT NULL, -- a JSON object, '' if there is none
    score      double precision NOT NULL,
    tag        text NOT NULL, -- '' if nothing was applied
    reason     text NOT NULL,
    open       boolean NOT NULL, -- it is to be tried, or tried again
    PRIMARY KEY (job_id, subject_id)
);
CREATE INDEX fill_items_open ON fill_items (job_id, subject_id) WHERE open;
CREATE INDEX fill_items_outcome ON fill_items (job_id, outcome, subject_id);

CREATE TABLE fill_learned (
    subject_kind text NOT NULL,
    subject_id   uuid NOT NULL,
    slot         text NOT NULL,
    asked_at     timestamptz NOT NULL,
    outcome      text NOT NULL,
    score        double precision NOT NULL,
    question     text NOT NULL, -- what was known of the subject
    PRIMARY KEY (subject_kind, subject_id, slot)
);

-- +goose Down
DROP TABLE fill_learned;
DROP TABLE fill_items;
DROP TABLE fill_jobs;
