import { Anchor, Text, UnstyledButton } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { Icon, type IconName } from "../app/Icon";
import classes from "./Activity.module.css";
import { differencesOf, type Entry, type Picture, picturesOf, pictureUrl } from "./entries";

const icons: Record<string, IconName> = {
  image: "albums",
  fill: "fill",
  catalog: "artists",
  user: "users",
  session: "users",
  token: "key",
  settings: "settings",
  cache: "cache",
  library: "bulk",
};

/** Who did what to whom, and when; and what was there before. */
export function ActivityEntry({ entry, onActor }: { entry: Entry; onActor: () => void }) {
  const { t, i18n } = useTranslation();
  const pictures = picturesOf(entry);
  const differences = differencesOf(entry);
  const time = new Intl.DateTimeFormat(i18n.language, { timeStyle: "short" }).format(new Date(entry.at));
  return (
    <li className={classes.entry}>
      <span className={classes.icon}>
        <Icon name={icons[entry.action.split(".")[0] ?? ""] ?? "activity"} size={18} />
      </span>
      <div className={classes.what}>
        <Text>
          <UnstyledButton className={classes.actor ?? ""} aria-label={t("activity.only", { who: entry.actor })} onClick={onActor}>
            {entry.actor}
          </UnstyledButton>{" "}
          <Did entry={entry} /> <About entry={entry} />
        </Text>
        <Text size="xs" c="dimmed">
          <time dateTime={entry.at}>{time}</time>
          {entry.address !== undefined && ` · ${entry.address}`}
        </Text>
        {differences.length > 0 && (
          <details className={classes.details}>
            <summary>{t("activity.details", { count: differences.length })}</summary>
            <dl className={classes.facts}>
              {differences.map(({ name, before, after }) => (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd>
                    {before !== undefined && <del>{before}</del>} {after !== undefined && <ins>{after}</ins>}
                  </dd>
                </div>
              ))}
            </dl>
          </details>
        )}
      </div>
      {pictures && <Pictures entry={entry} {...pictures} />}
    </li>
  );
}

/** The action in words; one that this panel does not know, as the server calls it. */
function Did({ entry }: { entry: Entry }) {
  const { t, i18n } = useTranslation();
  const key = `activity.did.${entry.action.replace(".", "_")}`;
  return i18n.exists(key) ? t(key as "activity.did.image_apply") : entry.action;
}

/** What it was done to, as it was called then, and the way there. */
function About({ entry: { actor, subject, slot } }: { entry: Entry }) {
  const { t } = useTranslation();
  if (!subject || (subject.kind === "user" && subject.name === actor && slot === undefined)) {
    return null; // somebody, to themselves
  }
  const ordering = subject.kind === "provider" && subject.name === "order";
  const name = ordering ? t("activity.ordering") : (subject.name ?? t(`activity.kind.${subject.kind}`));
  const page = subject.kind === "artist" || subject.kind === "album" || subject.kind === "user" ? `/${subject.kind}s/${subject.id}` : undefined;
  return (
    <>
      {page !== undefined && subject.id !== undefined ? (
        <Anchor component={Link} underline="always" to={page} inherit>
          {name}
        </Anchor>
      ) : (
        <strong>{name}</strong>
      )}
      {slot !== undefined && <span className={classes.slot}> · {t(`slot.${slot}`)}</span>}
    </>
  );
}

function Pictures({ entry, before, after }: { entry: Entry; before: Picture | undefined; after: Picture | undefined }) {
  const { t } = useTranslation();
  if (!before && !after) {
    return null;
  }
  if (before?.imageId === after?.imageId) {
    return (
      <div className={classes.pictures}>
        <Thumbnail entry={entry} picture={after} label={t("activity.picture")} />
      </div>
    );
  }
  return (
    <div className={classes.pictures}>
      <Thumbnail entry={entry} picture={before} label={t("activity.before")} />
      <Icon name="arrow" size={16} />
      <Thumbnail entry={entry} picture={after} label={t("activity.after")} />
    </div>
  );
}

/** A picture as small as it is enough to tell it from another. */
function Thumbnail({ entry, picture, label }: { entry: Entry; picture: Picture | undefined; label: string }) {
  const { t } = useTranslation();
  const [failed, setFailed] = useState(false);
  const url = picture && pictureUrl(entry, picture);
  const missing = url === undefined ? t("activity.none") : failed ? t("activity.gone") : undefined;
  return (
    <figure className={classes.figure}>
      {missing === undefined ? (
        <img src={url} alt={label} loading="lazy" decoding="async" onError={() => setFailed(true)} />
      ) : (
        <span className={classes.missing} role="img" aria-label={`${label}: ${missing}`}>
          <span aria-hidden>{missing}</span>
        </span>
      )}
    </figure>
  );
}
