import { Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { imageUrl, type Size } from "../artwork/url";
import classes from "./Players.module.css";
import type { Subject } from "./queries";

/** How a player shows the subject: its header, a card, a row of a list; light and dark, side by side. */
export function Players(subject: Subject) {
  const { t } = useTranslation();
  return (
    <section aria-label={t("subject.players.title")}>
      <Title order={2} size="h4">
        {t("subject.players.title")}
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        {t("subject.players.hint")}
      </Text>
      <div className={classes.players}>
        {(["light", "dark"] as const).map((scheme) => (
          <div key={scheme} className={classes.player} data-scheme={scheme} role="group" aria-label={t(`action.${scheme}`)}>
            <Header {...subject} />
            <div className={classes.below}>
              <Card {...subject} />
              <List {...subject} />
            </div>
          </div>
        ))}
      </div>
    </section>
  );
}

/** The address of what a slot shows, in a size; undefined if it is empty. */
function picture({ kind, id, images }: Subject, slot: keyof Subject["images"], size: Size): string | undefined {
  const tag = images[slot]?.tag;
  return tag === undefined ? undefined : imageUrl(kind, id, slot, { size, tag });
}

const main = { artist: "profile", album: "cover", user: "avatar" } as const;

function Header(subject: Subject) {
  const { t } = useTranslation();
  const background = picture(subject, subject.kind === "artist" ? "background" : main[subject.kind], "large");
  const logo = picture(subject, "logo", "medium");
  return (
    <div className={classes.header} data-kind={subject.kind}>
      {background !== undefined && (
        <img className={classes.background} src={background} alt="" style={{ objectPosition: subject.backgroundPosition ?? "center" }} />
      )}
      <div className={classes.shade} />
      <div className={classes.title}>
        <Picture {...subject} size="small" className={classes.front} />
        {logo !== undefined ? <img className={classes.logo} src={logo} alt={subject.name} /> : <span className={classes.name}>{subject.name}</span>}
        <span className={classes.play} aria-hidden>
          ▶
        </span>
      </div>
      <span className={classes.caption}>{t("subject.players.header")}</span>
    </div>
  );
}

function Card(subject: Subject) {
  return (
    <div className={classes.card}>
      <Picture {...subject} size="medium" className={classes.cardPicture} />
      <span className={classes.cardName}>{subject.name}</span>
      <span className={classes.faint}>{subject.detail ?? " "}</span>
    </div>
  );
}

function List(subject: Subject) {
  return (
    <div className={classes.rows}>
      {[0, 1, 2].map((row) => (
        <div key={row} className={classes.row} data-own={row === 1 || undefined}>
          {row === 1 ? <Picture {...subject} size="thumb" className={classes.rowPicture} /> : <span className={classes.rowPicture} />}
          {row === 1 ? (
            <span className={classes.rowWords}>
              <span>{subject.name}</span>
              {subject.detail !== undefined && <span className={classes.faint}>{subject.detail}</span>}
            </span>
          ) : (
            <span className={classes.bars} aria-hidden>
              <span />
              <span />
            </span>
          )}
        </div>
      ))}
    </div>
  );
}

function Picture({ size, className = "", ...subject }: Subject & { size: Size; className?: string | undefined }) {
  const src = picture(subject, main[subject.kind], size);
  return (
    <span className={className} data-round={subject.kind !== "album" || undefined}>
      {src !== undefined ? <img src={src} alt="" /> : <span aria-hidden>♪</span>}
    </span>
  );
}
