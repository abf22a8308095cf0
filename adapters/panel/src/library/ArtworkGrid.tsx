import { useElementSize } from "@mantine/hooks";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, memo, type MouseEvent, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useHref, useNavigate } from "react-router";

import type { Slot } from "../api/client";
import type { Kind } from "../artwork/url";
import { Card } from "./Card";
import type { Entry } from "./entries";
import classes from "./Library.module.css";
import { columnsFor } from "./pages";
import { destination } from "./selection";
import { whenSettled } from "./settling";
import { type CardTexts, cardTexts } from "./texts";

interface Props {
  kind: Kind;
  slot: Slot;
  total: number;
  /** px, of a card at least. */
  least: number;
  label: string;
  /** The entry at a place; undefined while it is on its way. */
  entryAt: (index: number) => Entry | undefined;
  isChosen: (entry: Entry) => boolean;
  onVisible: (first: number, last: number) => void;
  /** Chooses a card or, with range, all from the one before; undefined: nobody can be chosen. */
  onChoose: ((index: number, range: boolean) => void) | undefined;
  onKey: (event: KeyboardEvent, from: number, to: number | undefined) => void;
}

const words = 50; // px, of the two lines below a picture
const gapOf = (least: number) => (least < 140 ? 10 : 18);
const above = 128; // px, of what stays above the grid while it is scrolled
const below = 96; // px, of what may stand below it

/** All entries as cards; only those near the window exist. Keys go from card to card. */
export function ArtworkGrid({ kind, slot, total, least, label, entryAt, isChosen, onVisible, onChoose, onKey }: Props) {
  const { t, i18n } = useTranslation();
  const texts = useMemo(() => cardTexts(t, i18n.language), [t, i18n.language]);
  const home = useHref("/");
  const navigate = useNavigate();
  const { ref, width } = useElementSize();
  const outer = useRef<HTMLDivElement>(null);
  const [offset, setOffset] = useState(0);
  const [active, setActive] = useState(0);
  const wanted = useRef<number>(undefined); // who is to have the focus when it is there
  useLayoutEffect(() => setOffset(outer.current?.offsetTop ?? 0), [total]);

  const gap = gapOf(least);
  const { columns, edge } = columnsFor(width, least, gap);
  const rows = useWindowVirtualizer({
    count: width === 0 ? 0 : Math.ceil(total / columns),
    estimateSize: () => edge + words + gap,
    overscan: 4,
    scrollMargin: offset,
    scrollPaddingStart: above,
    scrollPaddingEnd: below,
    useFlushSync: false,
    useScrollendEvent: true, // else there is a timer for each event of scrolling
  });
  useLayoutEffect(() => rows.measure(), [edge, gap, rows]);

  const shown = rows.getVirtualItems();
  const first = (shown[0]?.index ?? 0) * columns;
  const last = ((shown.at(-1)?.index ?? 0) + 1) * columns - 1;
  useEffect(() => onVisible(first, last), [first, last, onVisible]);

  const focus = useCallback((index: number) => {
    const card = outer.current?.querySelector<HTMLElement>(`[data-index="${index}"]`);
    card?.focus({ preventScroll: true });
    return card !== null && card !== undefined;
  }, []);
  useEffect(() => {
    if (wanted.current !== undefined && focus(wanted.current)) {
      wanted.current = undefined;
    }
  });

  const indexOf = (target: EventTarget) => Number((target as HTMLElement).closest<HTMLElement>("[data-index]")?.dataset.index);
  const go = (event: KeyboardEvent<HTMLDivElement>) => {
    const from = indexOf(event.target);
    if (Number.isNaN(from) || event.altKey) {
      return;
    }
    const rowsOfPage = Math.max(1, Math.floor((window.innerHeight - above - below) / (edge + words + gap)));
    const to = event.ctrlKey || event.metaKey ? undefined : destination(event.key, from, total, columns, rowsOfPage);
    if (to !== undefined) {
      event.preventDefault();
      rows.scrollToIndex(Math.floor(to / columns));
      setActive(to);
      wanted.current = to;
      focus(to);
    }
    onKey(event, from, to);
  };
  // One listener for the links of all cards, which a router's own would each have some of.
  const open = (event: MouseEvent<HTMLDivElement>) => {
    const to = (event.target as HTMLElement).closest<HTMLElement>("a[data-to]")?.dataset.to;
    const elsewhere = event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
    if (to !== undefined && !elsewhere && !event.defaultPrevented) {
      event.preventDefault();
      void navigate(to);
    }
  };
  const reachable = active >= first && active <= last ? active : Math.min(first, total - 1);
  return (
    <div ref={outer} className={classes.grid}>
      <div
        ref={ref}
        className={classes.rows}
        style={{ height: rows.getTotalSize() }}
        onKeyDown={go}
        onClick={open}
        onFocus={(event) => setActive((before) => (Number.isNaN(indexOf(event.target)) ? before : indexOf(event.target)))}
        role="list"
        aria-label={label}
      >
        {shown.map((row) => {
          const begin = row.index * columns;
          const entries = Array.from({ length: Math.min(columns, total - begin) }, (_, column) => entryAt(begin + column));
          return (
            <Row
              key={row.key}
              kind={kind}
              slot={slot}
              begin={begin}
              total={total}
              columns={columns}
              edge={edge}
              gap={gap}
              top={row.start - offset}
              entries={entries}
              chosen={entries.map((entry) => entry !== undefined && isChosen(entry))}
              reachable={reachable >= begin && reachable < begin + columns ? reachable : -1}
              home={home}
              texts={texts}
              onChoose={onChoose}
            />
          );
        })}
      </div>
    </div>
  );
}

interface RowProps {
  kind: Kind;
  slot: Slot;
  begin: number;
  total: number;
  columns: number;
  edge: number;
  gap: number;
  top: number;
  entries: (Entry | undefined)[];
  chosen: boolean[];
  reachable: number;
  /** Where the panel's addresses begin. */
  home: string;
  texts: CardTexts;
  onChoose: Props["onChoose"];
}

const Row = memo(
  function Row({ kind, slot, begin, total, columns, edge, gap, top, entries, chosen, reachable, home, texts, onChoose }: RowProps) {
    const [settled, setSettled] = useState(false);
    useEffect(() => whenSettled(() => setSettled(true)), []);
    return (
      <div
        role="presentation"
        className={classes.row}
        style={{ transform: `translateY(${top}px)`, gridTemplateColumns: `repeat(${columns}, ${edge}px)`, gap }}
      >
        {entries.map((entry, column) =>
          entry ? (
            <Card
              key={entry.id}
              kind={kind}
              slot={slot}
              entry={entry}
              index={begin + column}
              total={total}
              edge={edge}
              settled={settled}
              chosen={chosen[column] ?? false}
              reachable={reachable === begin + column}
              home={home}
              texts={texts}
              onChoose={onChoose}
            />
          ) : (
            <div key={column} role="presentation" className={classes.coming} style={{ height: edge }} />
          ),
        )}
      </div>
    );
  },
  (before, after) =>
    (Object.keys(after) as (keyof RowProps)[]).every((name) => {
      const [one, other] = [before[name], after[name]];
      return Array.isArray(one) && Array.isArray(other) ? one.length === other.length && one.every((item, n) => item === other[n]) : one === other;
    }),
);
