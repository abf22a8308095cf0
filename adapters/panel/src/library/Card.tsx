import { type MouseEvent, useEffect, useRef, useState } from "react";

import type { ImageInfo, Slot } from "../api/client";
import { imageUrl, type Kind, slotsOf } from "../artwork/url";
import type { Entry } from "./entries";
import { lowResolution } from "./health";
import classes from "./Library.module.css";
import { averageColour, drawLater } from "./placeholders";
import { Symbol } from "./Symbol";
import type { CardTexts } from "./texts";

interface Props {
  kind: Kind;
  slot: Slot;
  entry: Entry;
  index: number;
  total: number;
  edge: number;
  /** It has been in view for a moment: its picture is worth loading. */
  settled: boolean;
  chosen: boolean;
  /** The one card that the tab key leads to. */
  reachable: boolean;
  /** Where the panel's addresses begin. */
  home: string;
  texts: CardTexts;
  /** undefined: nobody can be chosen. */
  onChoose: ((index: number, range: boolean) => void) | undefined;
}

/** A subject: its picture, its name, and what is wrong with it. */
export function Card({ kind, slot, entry, index, total, edge, settled, chosen, reachable, home, texts, onChoose }: Props) {
  const { t } = texts;
  const to = `/${kind}s/${entry.id}`;
  const image = entry.images[slot];
  const choose = (event: MouseEvent) => {
    if (onChoose && (event.shiftKey || event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      onChoose(index, event.shiftKey);
    }
  };
  return (
    <div className={classes.card} role="listitem" aria-setsize={total} aria-posinset={index + 1} data-chosen={chosen || undefined}>
      <a
        href={home.replace(/\/$/, "") + to}
        data-to={to}
        data-index={index}
        tabIndex={reachable ? 0 : -1}
        className={classes.link ?? ""}
        onClick={choose}
        draggable={false}
      >
        <span className={classes.frame} data-empty={!image || undefined} style={{ height: edge }}>
          {image ? (
            <Picture
              src={imageUrl(kind, entry.id, slot, { size: edge > 200 ? "medium" : "small", tag: image.tag })}
              alt={t("image.alt", { slot: t(`slot.${slot}`), name: entry.name })}
              hash={image.thumbhash}
              whole={slot === "logo" || slot === "banner"}
              settled={settled}
            />
          ) : (
            <span className={classes.none}>
              <Symbol name="note" size={28} />
              <span>{t(`library.no.${slot as "profile"}`)}</span>
            </span>
          )}
          {image && <Flags slot={slot} image={image} texts={texts} />}
        </span>
        <span className={classes.name} title={entry.name}>
          {entry.name}
        </span>
        <Detail kind={kind} slot={slot} entry={entry} texts={texts} />
      </a>
      {onChoose && (
        <input
          type="checkbox"
          className={classes.choose}
          tabIndex={-1}
          aria-label={t("library.choose", { name: entry.name })}
          checked={chosen}
          onChange={() => undefined}
          onClick={(event) => onChoose(index, event.shiftKey)}
        />
      )}
    </div>
  );
}

/** What is wrong, or special, with an image that is there. */
function Flags({ slot, image, texts: { t } }: { slot: Slot; image: ImageInfo; texts: CardTexts }) {
  const low = lowResolution(slot, image);
  if (low === undefined && !image.locked) {
    return null;
  }
  return (
    <span className={classes.flags}>
      {low !== undefined && (
        <span className={classes.flag} title={t("library.low", { pixels: low })}>
          <Symbol name="low" size={12} /> {t("library.pixels", { pixels: low })}
        </span>
      )}
      {image.locked && (
        <span className={classes.flag} role="img" aria-label={t("image.locked")} title={t("image.locked")}>
          <Symbol name="lock" size={13} />
        </span>
      )}
    </span>
  );
}

function Detail({ kind, slot, entry, texts }: { kind: Kind; slot: Slot; entry: Entry; texts: CardTexts }) {
  const empty = slotsOf[kind].filter((other) => other !== slot && !entry.images[other]);
  if (entry.detail !== undefined || empty.length === 0) {
    return <span className={classes.detail}>{entry.detail}</span>;
  }
  return <span className={classes.detail}>{texts.without(empty)}</span>;
}

interface PictureProps {
  src: string;
  alt: string;
  hash: string;
  whole: boolean;
  settled: boolean;
}

/** A picture over its placeholder, which shows through until it has arrived. */
function Picture({ src, alt, hash, whole, settled }: PictureProps) {
  const [shown, setShown] = useState<string>();
  const [broken, setBroken] = useState<string>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const covered = shown === src;
  useEffect(() => (canvas.current ? drawLater(canvas.current, hash) : undefined), [hash, covered, settled]);
  return (
    <>
      {!(covered && whole) && <span className={classes.placeholder} style={{ backgroundColor: averageColour(hash) }} aria-hidden />}
      {settled && !covered && <canvas ref={canvas} className={classes.placeholder} aria-hidden />}
      {settled && broken !== src ? (
        <img
          className={classes.image}
          data-whole={whole || undefined}
          data-shown={covered || undefined}
          src={src}
          alt={alt}
          decoding="async"
          draggable={false}
          onLoad={() => setShown(src)}
          onError={() => setBroken(src)}
        />
      ) : (
        <span className={classes.image} role="img" aria-label={alt} />
      )}
    </>
  );
}
