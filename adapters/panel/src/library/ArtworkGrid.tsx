import { useElementSize } from "@mantine/hooks";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { Artwork } from "../artwork/Artwork";
import type { Kind } from "../artwork/url";
import classes from "./Library.module.css";
import { columnsFor } from "./pages";

export interface Entry {
  id: string;
  name: string;
  detail?: string;
}

interface Props {
  kind: Kind;
  total: number;
  /** The entry at a place; undefined while it is on its way. */
  entryAt: (index: number) => Entry | undefined;
  onVisible: (range: { first: number; last: number }) => void;
}

const gap = 16;
const least = 160; // px, of a card
const words = 48; // px, of the two lines below a picture

/** All entries as cards; only those near the window exist. Arrow keys go from card to card. */
export function ArtworkGrid({ kind, total, entryAt, onVisible }: Props) {
  const { ref, width } = useElementSize();
  const outer = useRef<HTMLDivElement>(null);
  const [offset, setOffset] = useState(0);
  useLayoutEffect(() => setOffset(outer.current?.offsetTop ?? 0), []);

  const { columns, edge } = columnsFor(width, least, gap);
  const rows = useWindowVirtualizer({
    count: width === 0 ? 0 : Math.ceil(total / columns),
    estimateSize: () => edge + words + gap,
    overscan: 4,
    scrollMargin: offset,
  });
  useEffect(() => rows.measure(), [edge, rows]);

  const shown = rows.getVirtualItems();
  const first = (shown[0]?.index ?? 0) * columns;
  const last = ((shown.at(-1)?.index ?? 0) + 1) * columns - 1;
  useEffect(() => onVisible({ first, last }), [first, last, onVisible]);

  const go = (event: KeyboardEvent<HTMLDivElement>) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    const from = Number((event.target as HTMLElement).dataset.index);
    const to = from + (step ?? 0);
    if (step === undefined || Number.isNaN(from) || to < 0 || to >= total) {
      return;
    }
    event.preventDefault();
    rows.scrollToIndex(Math.floor(to / columns));
    const focus = () => outer.current?.querySelector<HTMLElement>(`[data-index="${to}"]`)?.focus({ preventScroll: true });
    focus();
    requestAnimationFrame(focus); // once more, if its row was not there yet
  };

  return (
    <div ref={outer} className={classes.grid}>
      <div ref={ref} style={{ height: rows.getTotalSize(), position: "relative" }} onKeyDown={go} role="list">
        {shown.map((row) => (
          <div
            key={row.key}
            role="presentation"
            className={classes.row}
            style={{ transform: `translateY(${row.start - offset}px)`, gridTemplateColumns: `repeat(${columns}, ${edge}px)`, gap }}
          >
            {Array.from({ length: Math.min(columns, total - row.index * columns) }, (_, column) => {
              const index = row.index * columns + column;
              return <Card key={index} kind={kind} index={index} entry={entryAt(index)} edge={edge} />;
            })}
          </div>
        ))}
      </div>
    </div>
  );
}

function Card({ kind, index, entry, edge }: { kind: Kind; index: number; entry: Entry | undefined; edge: number }) {
  const { t } = useTranslation();
  if (!entry) {
    return <div className={classes.card} role="listitem" aria-busy style={{ height: edge + words }} />;
  }
  const slot = kind === "artist" ? "profile" : "cover";
  return (
    <div className={classes.card} role="listitem">
      <Link to={`/${kind}s/${entry.id}`} data-index={index} className={classes.link}>
        <Artwork
          kind={kind}
          id={entry.id}
          slot={slot}
          size="small"
          alt={t("image.alt", { slot: t(`slot.${slot}`), name: entry.name })}
          width={edge}
          height={edge}
        />
        <span className={classes.name} title={entry.name}>
          {entry.name}
        </span>
        {entry.detail !== undefined && <span className={classes.detail}>{entry.detail}</span>}
      </Link>
    </div>
  );
}
