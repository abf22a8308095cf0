import { useElementSize } from "@mantine/hooks";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, memo, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

import type { Slot } from "../api/client";
import type { Kind } from "../artwork/url";
import { Card } from "./Card";
import type { Entry } from "./entries";
import classes from "./Library.module.css";
import { columnsFor } from "./pages";
import { destination } from "./selection";

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
  const reachable = active >= first && active <= last ? active : Math.min(first, total - 1);
  return (
    <div ref={outer} className={classes.grid}>
      <div
        ref={ref}
        className={classes.rows}
        style={{ height: rows.getTotalSize() }}
        onKeyDown={go}
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
  onChoose: Props["onChoose"];
}

/** Rows that only pass by are not worth loading pictures for. */
const settling = 120;

const Row = memo(
  function Row({ kind, slot, begin, total, columns, edge, gap, top, entries, chosen, reachable, onChoose }: RowProps) {
    const [settled, setSettled] = useState(false);
    useEffect(() => {
      const timer = setTimeout(() => setSettled(true), settling);
      return () => clearTimeout(timer);
    }, []);
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
