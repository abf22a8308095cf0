-- What makes the lists of the catalogue fast: the words of names, where each of them
-- can be found from the middle too, and what the slots hold, in the order of the lists
-- and counted. Triggers keep it, so that it also follows an instance of the release
-- before, and every way to change what it is derived from.

-- +goose Up
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

-- +goose Down
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
