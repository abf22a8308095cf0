-- What instances need to follow the catalogue with the index of their lists: which subjects
-- have changed, of late. It takes the place of the tables of words, suffixes and slots.

-- +goose Up
DROP INDEX users_beginning;
DROP INDEX artists_beginning;
DROP TRIGGER catalog_follow ON artists;
DROP TRIGGER catalog_follow_name ON artists;
DROP TRIGGER catalog_follow ON albums;
DROP TRIGGER catalog_follow_name ON albums;
DROP TRIGGER catalog_follow ON users;
DROP TRIGGER catalog_follow_name ON users;
DROP TRIGGER catalog_follow ON slots;
DROP TRIGGER catalog_follow_change ON slots;
DROP TRIGGER catalog_follow_end ON slots;
DROP TABLE catalog_counts;
DROP SEQUENCE catalog_counts_added;
DROP TABLE catalog_slots;
DROP TABLE catalog_suffixes;
DROP TABLE catalog_words;
DROP FUNCTION catalog_count();
DROP FUNCTION catalog_follow_slot();
DROP FUNCTION catalog_follow_subject();
DROP FUNCTION catalog_is_low(text, bigint);
DROP FUNCTION catalog_pixels(text, bigint, bigint);
DROP FUNCTION catalog_suffixes_of(text);
DROP FUNCTION catalog_words_of(text);
DROP INDEX artists_sorted;
DROP INDEX albums_sorted;

-- Sort keys are without letters that are no other letter with a mark (catalog.SearchForm).
UPDATE artists SET sort_key = left(translate(replace(replace(replace(sort_key, 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'), 'øðđɖłƚħıɨȷĸŋŧƀƶɵʉǥɇɍɏȼⱥɓɗƒ', 'odddllhiijkntbzougerycabdf'), 500)
WHERE sort_key ~ '[æœþøðđɖłƚħıɨȷĸŋŧƀƶɵʉǥɇɍɏȼⱥɓɗƒ]';
UPDATE albums SET sort_key = left(translate(replace(replace(replace(sort_key, 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'), 'øðđɖłƚħıɨȷĸŋŧƀƶɵʉǥɇɍɏȼⱥɓɗƒ', 'odddllhiijkntbzougerycabdf'), 500)
WHERE sort_key ~ '[æœþøðđɖłƚħıɨȷĸŋŧƀƶɵʉǥɇɍɏȼⱥɓɗƒ]';
UPDATE users SET sort_key = left(translate(replace(replace(replace(sort_key, 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'), 'øðđɖłƚħıɨȷĸŋŧƀƶɵʉǥɇɍɏȼⱥɓɗƒ', 'odddllhiijkntbzougerycabdf'), 500)
WHERE sort_key ~ '[æœþøðđɖłƚħıɨȷĸŋŧƀƶɵʉǥɇɍɏȼⱥɓɗƒ]';

-- Transactions are not committed in the order of seq: an instance asks for the rows of those
-- that it has not seen yet.
CREATE TABLE catalog_changes (
    seq          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid          xid8 NOT NULL DEFAULT pg_current_xact_id(),
    subject_kind text COLLATE "C" NOT NULL,
    subject_id   uuid NOT NULL
);
CREATE INDEX catalog_changes_xid ON catalog_changes (xid) INCLUDE (subject_kind, subject_id);

-- The last transaction whose row was removed: who has not seen the end of it has to read everything.
CREATE TABLE catalog_forgotten (xid xid8 NOT NULL);
INSERT INTO catalog_forgotten VALUES ('0');

-- +goose StatementBegin
CREATE FUNCTION catalog_note_subject() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO catalog_changes (subject_kind, subject_id) VALUES (TG_ARGV[0], CASE TG_OP WHEN 'DELETE' THEN OLD.id ELSE NEW.id END);
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION catalog_note_slot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO catalog_changes (subject_kind, subject_id) VALUES (OLD.subject_kind, OLD.subject_id);
    ELSE
        INSERT INTO catalog_changes (subject_kind, subject_id) VALUES (NEW.subject_kind, NEW.subject_id);
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- The last 100 000 changes are kept. Who finds that another one removes rows does not wait.
-- +goose StatementBegin
CREATE FUNCTION catalog_forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_try_advisory_xact_lock(113723458937203) THEN
        WITH gone AS (DELETE FROM catalog_changes WHERE seq <= NEW.seq - 100000 RETURNING xid)
        UPDATE catalog_forgotten AS f SET xid = greatest(f.xid, latest.xid) FROM (SELECT xid FROM gone ORDER BY xid DESC LIMIT 1) AS latest;
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER catalog_forget AFTER INSERT ON catalog_changes FOR EACH ROW WHEN (NEW.seq % 1024 = 0) EXECUTE FUNCTION catalog_forget();

CREATE TRIGGER catalog_note AFTER INSERT OR DELETE ON artists FOR EACH ROW EXECUTE FUNCTION catalog_note_subject('artist');
CREATE TRIGGER catalog_note_change AFTER UPDATE ON artists FOR EACH ROW
    WHEN ((OLD.folded_name, OLD.sort_key) IS DISTINCT FROM (NEW.folded_name, NEW.sort_key))
    EXECUTE FUNCTION catalog_note_subject('artist');
CREATE TRIGGER catalog_note AFTER INSERT OR DELETE ON albums FOR EACH ROW EXECUTE FUNCTION catalog_note_subject('album');
CREATE TRIGGER catalog_note_change AFTER UPDATE ON albums FOR EACH ROW
    WHEN ((OLD.artist_id, OLD.year, OLD.folded_name, OLD.sort_key) IS DISTINCT FROM (NEW.artist_id, NEW.year, NEW.folded_name, NEW.sort_key))
    EXECUTE FUNCTION catalog_note_subject('album');
CREATE TRIGGER catalog_note AFTER INSERT OR DELETE ON users FOR EACH ROW EXECUTE FUNCTION catalog_note_subject('user');
CREATE TRIGGER catalog_note_change AFTER UPDATE ON users FOR EACH ROW
    WHEN ((OLD.folded_name, OLD.folded_display, OLD.sort_key) IS DISTINCT FROM (NEW.folded_name, NEW.folded_display, NEW.sort_key))
    EXECUTE FUNCTION catalog_note_subject('user');
CREATE TRIGGER catalog_note AFTER INSERT OR DELETE ON slots FOR EACH ROW EXECUTE FUNCTION catalog_note_slot();
CREATE TRIGGER catalog_note_change AFTER UPDATE ON slots FOR EACH ROW
    WHEN ((OLD.image_id, OLD.locked, OLD.last_modified) IS DISTINCT FROM (NEW.image_id, NEW.locked, NEW.last_modified))
    EXECUTE FUNCTION catalog_note_slot();

-- +goose Down
DROP TRIGGER catalog_note ON artists;
DROP TRIGGER catalog_note_change ON artists;
DROP TRIGGER catalog_note ON albums;
DROP TRIGGER catalog_note_change ON albums;
DROP TRIGGER catalog_note ON users;
DROP TRIGGER catalog_note_change ON users;
DROP TRIGGER catalog_note ON slots;
DROP TRIGGER catalog_note_change ON slots;
DROP TABLE catalog_forgotten;
DROP TABLE catalog_changes;
DROP FUNCTION catalog_forget();
DROP FUNCTION catalog_note_slot();
DROP FUNCTION catalog_note_subject();
CREATE INDEX artists_sorted ON artists (sort_key, id);
CREATE INDEX albums_sorted ON albums (sort_key, id);

-- As in 00013.
-- Words are cut at 200 characters, so that they fit into an index entry.
CREATE TABLE catalog_words (
    kind       text COLLATE "C" NOT NULL,
    word       text COLLATE "C" NOT NULL,
    subject_id uuid NOT NULL,
    PRIMARY KEY (kind, word, subject_id)
);

-- All ends of every word that there is or was. A text is part of a word if an end of
-- it begins with the text.
CREATE TABLE catalog_suffixes (
    kind   text COLLATE "C" NOT NULL,
    suffix text COLLATE "C" NOT NULL,
    word   text COLLATE "C" NOT NULL,
    starts boolean NOT NULL, -- the suffix is the whole word, or follows punctuation
    PRIMARY KEY (kind, suffix, word)
);

-- Every slot of every subject, empty ones too.
CREATE TABLE catalog_slots (
    subject_id uuid NOT NULL,
    slot       text COLLATE "C" NOT NULL,
    sort_key   text COLLATE "C" NOT NULL,
    source     text COLLATE "C" NOT NULL DEFAULT '', -- of the image in force, '' if there is none
    pixels     bigint NOT NULL DEFAULT 0, -- its resolution
    low        boolean NOT NULL DEFAULT false, -- it is less than the slot is best in
    locked     boolean NOT NULL DEFAULT false,
    PRIMARY KEY (subject_id, slot)
);

-- How many slots are in which state: the sum of n. Who changes something adds rows and
-- waits for nobody; now and then one of them adds up what is there.
CREATE TABLE catalog_counts (
    slot   text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    low    boolean NOT NULL,
    locked boolean NOT NULL,
    n      bigint NOT NULL
);
CREATE SEQUENCE catalog_counts_added;

-- +goose StatementBegin
CREATE FUNCTION catalog_words_of(names text) RETURNS SETOF text LANGUAGE sql IMMUTABLE AS $$
    SELECT DISTINCT left(word, 200) COLLATE "C" FROM unnest(string_to_array(names, ' ')) AS word WHERE word <> ''
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION catalog_suffixes_of(word text) RETURNS TABLE (suffix text, starts boolean) LANGUAGE sql IMMUTABLE AS $$
    SELECT substr(word, n), n = 1 OR strpos($c$!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~¡¿«»·$c$, substr(word, n - 1, 1)) > 0
    FROM generate_series(1, length(word)) AS n
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION catalog_pixels(slot text, width bigint, height bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN slot IN ('profile', 'cover', 'avatar') THEN least(width, height) ELSE width END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION catalog_is_low(slot text, pixels bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT pixels < CASE slot WHEN 'background' THEN 1920 WHEN 'logo' THEN 800 WHEN 'avatar' THEN 500 ELSE 1000 END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION catalog_follow_subject() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    names text;
    words text[];
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM catalog_words WHERE kind = TG_ARGV[0] AND subject_id = OLD.id;
        DELETE FROM catalog_slots WHERE subject_id = OLD.id AND slot = ANY (TG_ARGV[1]::text[]);
        RETURN NULL;
    END IF;
    names := NEW.folded_name || ' ' || NEW.sort_key;
    IF TG_ARGV[0] = 'user' THEN
        names := NEW.folded_name || ' ' || NEW.folded_display;
    END IF;
    words := ARRAY(SELECT * FROM catalog_words_of(names) ORDER BY 1);
    IF TG_OP = 'INSERT' THEN
        INSERT INTO catalog_slots (subject_id, slot, sort_key) SELECT NEW.id, slot, NEW.sort_key FROM unnest(TG_ARGV[1]::text[]) AS slot;
    ELSE
        UPDATE catalog_slots SET sort_key = NEW.sort_key WHERE subject_id = NEW.id AND slot = ANY (TG_ARGV[1]::text[]) AND sort_key <> NEW.sort_key;
        DELETE FROM catalog_words WHERE kind = TG_ARGV[0] AND subject_id = NEW.id AND word <> ALL (words);
    END IF;
    INSERT INTO catalog_words (kind, word, subject_id) SELECT TG_ARGV[0], word, NEW.id FROM unnest(words) AS word ON CONFLICT DO NOTHING;
    -- In one order, so that two who add the same words do not wait for each other.
    INSERT INTO catalog_suffixes (kind, suffix, word, starts)
    SELECT TG_ARGV[0], s.suffix, w.word, s.starts
    FROM unnest(words) AS w (word), catalog_suffixes_of(w.word) AS s
    WHERE NOT EXISTS (SELECT FROM catalog_suffixes AS known WHERE known.kind = TG_ARGV[0] AND known.suffix = w.word AND known.word = w.word)
    ORDER BY w.word, s.suffix
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION catalog_follow_slot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        UPDATE catalog_slots SET source = '', pixels = 0, low = false, locked = false WHERE subject_id = OLD.subject_id AND slot = OLD.slot;
        RETURN NULL;
    END IF;
    UPDATE catalog_slots AS c SET source = coalesce(i.source, ''), pixels = coalesce(i.pixels, 0), low = coalesce(i.low, false), locked = NEW.locked
    FROM (SELECT NEW.image_id AS id) AS pointer
    LEFT JOIN (
        SELECT id, source, catalog_pixels(slot, width, height) AS pixels, catalog_is_low(slot, catalog_pixels(slot, width, height)) AS low FROM images
    ) AS i ON i.id = pointer.id
    WHERE c.subject_id = NEW.subject_id AND c.slot = NEW.slot;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION catalog_count() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO catalog_counts SELECT slot, source, low, locked, count(*) FROM after_rows GROUP BY 1, 2, 3, 4;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO catalog_counts SELECT slot, source, low, locked, -count(*) FROM before_rows GROUP BY 1, 2, 3, 4;
    ELSE
        INSERT INTO catalog_counts SELECT slot, source, low, locked, sum(n)
        FROM (SELECT slot, source, low, locked, 1 AS n FROM after_rows UNION ALL SELECT slot, source, low, locked, -1 FROM before_rows) AS changes
        GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0;
    END IF;
    IF FOUND AND nextval('catalog_counts_added') % 256 = 0 AND pg_try_advisory_xact_lock(113723458937203) THEN
        WITH gone AS (DELETE FROM catalog_counts RETURNING *)
        INSERT INTO catalog_counts SELECT slot, source, low, locked, sum(n) FROM gone GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0;
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- First the triggers, which keep writers out until this is committed.
CREATE TRIGGER catalog_follow AFTER INSERT OR DELETE ON artists
    FOR EACH ROW EXECUTE FUNCTION catalog_follow_subject('artist', '{profile,background,banner,logo}');
CREATE TRIGGER catalog_follow_name AFTER UPDATE OF folded_name, sort_key ON artists FOR EACH ROW
    WHEN (OLD.folded_name <> NEW.folded_name OR OLD.sort_key <> NEW.sort_key)
    EXECUTE FUNCTION catalog_follow_subject('artist', '{profile,background,banner,logo}');
CREATE TRIGGER catalog_follow AFTER INSERT OR DELETE ON albums
    FOR EACH ROW EXECUTE FUNCTION catalog_follow_subject('album', '{cover}');
CREATE TRIGGER catalog_follow_name AFTER UPDATE OF folded_name, sort_key ON albums FOR EACH ROW
    WHEN (OLD.folded_name <> NEW.folded_name OR OLD.sort_key <> NEW.sort_key)
    EXECUTE FUNCTION catalog_follow_subject('album', '{cover}');
CREATE TRIGGER catalog_follow AFTER INSERT OR DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION catalog_follow_subject('user', '{avatar}');
CREATE TRIGGER catalog_follow_name AFTER UPDATE OF folded_name, folded_display, sort_key ON users FOR EACH ROW
    WHEN (OLD.folded_name <> NEW.folded_name OR OLD.folded_display <> NEW.folded_display OR OLD.sort_key <> NEW.sort_key)
    EXECUTE FUNCTION catalog_follow_subject('user', '{avatar}');
CREATE TRIGGER catalog_follow AFTER INSERT ON slots FOR EACH ROW
    WHEN (NEW.image_id IS NOT NULL OR NEW.locked) EXECUTE FUNCTION catalog_follow_slot();
CREATE TRIGGER catalog_follow_change AFTER UPDATE OF image_id, locked ON slots FOR EACH ROW
    WHEN (OLD.image_id IS DISTINCT FROM NEW.image_id OR OLD.locked <> NEW.locked) EXECUTE FUNCTION catalog_follow_slot();
CREATE TRIGGER catalog_follow_end AFTER DELETE ON slots FOR EACH ROW EXECUTE FUNCTION catalog_follow_slot();

INSERT INTO catalog_words
SELECT 'artist', word, id FROM artists, catalog_words_of(folded_name || ' ' || sort_key) AS word
UNION ALL
SELECT 'album', word, id FROM albums, catalog_words_of(folded_name || ' ' || sort_key) AS word
UNION ALL
SELECT 'user', word, id FROM users, catalog_words_of(folded_name || ' ' || folded_display) AS word
ORDER BY 1, 2, 3;

INSERT INTO catalog_suffixes
SELECT kind, s.suffix, word, bool_or(s.starts)
FROM (SELECT DISTINCT kind, word FROM catalog_words) AS words, catalog_suffixes_of(word) AS s
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

INSERT INTO catalog_slots
SELECT u.id, u.slot, u.sort_key, coalesce(i.source, ''), coalesce(p.pixels, 0), coalesce(catalog_is_low(u.slot, p.pixels), false), coalesce(s.locked, false)
FROM (
    SELECT 'artist' AS kind, id, slot, sort_key FROM artists, unnest('{profile,background,banner,logo}'::text[]) AS slot
    UNION ALL
    SELECT 'album', id, 'cover', sort_key FROM albums
    UNION ALL
    SELECT 'user', id, 'avatar', sort_key FROM users
) AS u
LEFT JOIN slots AS s ON s.subject_kind = u.kind AND s.subject_id = u.id AND s.slot = u.slot
LEFT JOIN images AS i ON i.id = s.image_id
LEFT JOIN LATERAL catalog_pixels(u.slot, i.width, i.height) AS p (pixels) ON true
ORDER BY 1, 2;

INSERT INTO catalog_counts SELECT slot, source, low, locked, count(*) FROM catalog_slots GROUP BY 1, 2, 3, 4;

CREATE TRIGGER catalog_count_added AFTER INSERT ON catalog_slots REFERENCING NEW TABLE AS after_rows
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_count();
CREATE TRIGGER catalog_count_changed AFTER UPDATE ON catalog_slots REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_count();
CREATE TRIGGER catalog_count_removed AFTER DELETE ON catalog_slots REFERENCING OLD TABLE AS before_rows
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_count();

CREATE INDEX catalog_words_of_subject ON catalog_words (kind, subject_id, word);
CREATE INDEX catalog_suffixes_starting ON catalog_suffixes (kind, suffix, word) WHERE starts;
CREATE INDEX catalog_slots_sorted ON catalog_slots (slot, sort_key, subject_id) INCLUDE (source, pixels, locked);
CREATE INDEX catalog_slots_source ON catalog_slots (slot, source, sort_key, subject_id);
CREATE INDEX catalog_slots_low ON catalog_slots (slot, sort_key, subject_id) WHERE low;
CREATE INDEX catalog_slots_locked ON catalog_slots (slot, sort_key, subject_id) WHERE locked;
CREATE INDEX catalog_slots_pixels ON catalog_slots (slot, pixels, subject_id) WHERE pixels > 0;
CREATE INDEX artists_beginning ON artists (substr(folded_name, 1, 100));
CREATE INDEX users_beginning ON users (substr(folded_display, 1, 100));
ANALYZE catalog_words, catalog_suffixes, catalog_slots, artists;
