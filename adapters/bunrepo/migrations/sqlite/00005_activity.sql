-- Who changed what: written in the transaction of the change, or after an act that
-- is none of the database. What it was about need not exist any more.

-- +goose Up
CREATE TABLE activity (
    id           integer PRIMARY KEY AUTOINCREMENT, -- never given twice
    at           integer NOT NULL,
    actor        text NOT NULL,
    actor_id     text, -- of a token or user
    address      text NOT NULL,
    request_id   text NOT NULL,
    action       text NOT NULL, -- family.act
    subject_kind text NOT NULL, -- '' if it is about nothing in particular
    subject_id   text,
    subject_name text NOT NULL, -- at the time
    slot         text NOT NULL,
    facts_before text, -- a JSON object
    facts_after  text -- a JSON object
) STRICT;
CREATE INDEX activity_at ON activity (at);
CREATE INDEX activity_of_actor ON activity (actor, id);
CREATE INDEX activity_of_action ON activity (action, id);
CREATE INDEX activity_of_subject ON activity (subject_id, id) WHERE subject_id IS NOT NULL;

-- +goose Down
DROP TABLE activity;
