-- A fill of subjects that somebody has named, who are its items from the beginning; and
-- bulk applies that somebody has cancelled.

-- +goose Up
ALTER TABLE fill_jobs ADD COLUMN named integer NOT NULL DEFAULT 0;
ALTER TABLE bulk_jobs ADD COLUMN cancelled integer NOT NULL DEFAULT 0;
CREATE INDEX bulk_jobs_created ON bulk_jobs (created_at, id);

-- +goose Down
DROP INDEX bulk_jobs_created;
ALTER TABLE bulk_jobs DROP COLUMN cancelled;
ALTER TABLE fill_jobs DROP COLUMN named;
