import { Button, Center, Stack, Text, VisuallyHidden } from "@mantine/core";
import { useDebouncedValue, useLocalStorage } from "@mantine/hooks";
import { type KeyboardEvent, useCallback, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { Refusal } from "../app/Refusal";
import type { Kind } from "../artwork/url";
import { useSession } from "../session/session";
import { ArtworkGrid } from "./ArtworkGrid";
import { ChangedNotice } from "./ChangedNotice";
import { type Entry, useEntries } from "./entries";
import { type CardSize, cardSizes, FilterBar } from "./FilterBar";
import { changeAddress, conditions, readFilter, shownSlot } from "./filters";
import classes from "./Library.module.css";
import { between, choose, countOf, everybody, isChosen, type Named, nobody, type Selection, toggle } from "./selection";
import { SelectionBar } from "./SelectionBar";

/** The library as a grid of artwork. What is looked for stands in the address. */
export function LibraryPage({ kind }: { kind: Kind }) {
  const { t } = useTranslation();
  const { may } = useSession();
  const [address, setAddress] = useSearchParams();
  const [asked] = useDebouncedValue(address, 120);
  const text = address.get("query") ?? "";
  const wanted = readFilter(kind, asked);
  const key = JSON.stringify(wanted);
  // One object for as long as it says the same.
  const filter = useMemo(() => JSON.parse(key) as typeof wanted, [key]);
  const entries = useEntries(kind, filter);
  const [size, setSize] = useLocalStorage<CardSize>({ key: "gatefold.cards", defaultValue: "m", getInitialValueInEffect: false });
  const chosen = useSelection(key, entries.entryAt);
  const slot = shownSlot(kind, filter);
  const total = entries.total ?? 0;
  const change = (next: Parameters<typeof changeAddress>[2]) => setAddress((before) => changeAddress(kind, before, next), { replace: true });

  const onKey = (event: KeyboardEvent, from: number, to: number | undefined) => {
    if (!may("write")) {
      return;
    }
    if (event.key === "a" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      chosen.add(entries.loaded());
    } else if (event.key === " ") {
      event.preventDefault();
      chosen.choose(from, event.shiftKey);
    } else if (event.key === "Escape") {
      chosen.set(nobody);
    } else if (event.shiftKey && to !== undefined) {
      chosen.extend(from, to);
    }
  };
  const isFiltered = conditions(filter).length > 0;
  return (
    <>
      <VisuallyHidden component="h1">{t(`library.${kind}s`)}</VisuallyHidden>
      <FilterBar
        kind={kind}
        filter={readFilter(kind, address)}
        text={text}
        total={entries.total}
        atLeast={entries.atLeast}
        size={size}
        onSize={setSize}
        onChange={change}
      />
      {filter.sort?.endsWith("updated") && <ChangedNotice key={key} kind={kind} />}
      {entries.error && entries.total === undefined ? (
        <Center p="xl">
          <Refusal error={entries.error} retry={entries.retry} />
        </Center>
      ) : entries.total === 0 ? (
        <Nothing text={text} isFiltered={isFiltered} clear={() => setAddress(new URLSearchParams(), { replace: true })} />
      ) : (
        <div
          className={[entries.busy && classes.stale, countOf(chosen.selection, total) > 0 && classes.choosing].filter(Boolean).join(" ")}
          aria-busy={entries.busy}
        >
          {entries.error && <Refusal error={entries.error} retry={entries.retry} />}
          <ArtworkGrid
            kind={kind}
            slot={slot}
            total={entries.total ?? 60}
            least={cardSizes[size]}
            label={t(`library.${kind}s`)}
            entryAt={entries.entryAt}
            isChosen={(entry) => isChosen(chosen.selection, entry.id)}
            onVisible={entries.onVisible}
            onChoose={may("write") ? chosen.choose : undefined}
            onKey={onKey}
          />
        </div>
      )}
      {may("write") && (
        <SelectionBar
          kind={kind}
          slot={filter.missing ?? slot}
          filter={filter}
          selection={chosen.selection}
          total={total}
          onAll={() => chosen.set(everybody)}
          onNone={() => chosen.set(nobody)}
        />
      )}
    </>
  );
}

/**
 * Who is chosen, and from where a range goes on. Subjects stay chosen while another text
 * is searched for; all that match are other ones then, and are not.
 */
function useSelection(filter: string, entryAt: (index: number) => Entry | undefined) {
  const [state, setState] = useState<{ selection: Selection; filter: string }>({ selection: nobody, filter });
  if (state.filter !== filter) {
    setState({ filter, selection: state.selection.all ? nobody : state.selection });
  }
  const anchor = useRef<{ index: number; base: Selection }>(undefined);
  const latest = useRef(entryAt);
  useLayoutEffect(() => {
    latest.current = entryAt;
  });
  const update = useCallback(
    (next: (before: Selection) => Selection) => setState((before) => ({ ...before, selection: next(before.selection) })),
    [],
  );
  const from = useCallback(
    (index: number, to: number) =>
      update((before) => {
        anchor.current ??= { index, base: before };
        const within = between(anchor.current.index, to)
          .map(latest.current)
          .filter((entry) => entry !== undefined);
        return choose(anchor.current.base, within, true);
      }),
    [update],
  );
  const chooseOne = useCallback(
    (index: number, range: boolean) => {
      if (range && anchor.current) {
        from(anchor.current.index, index);
        return;
      }
      update((before) => {
        const entry = latest.current(index);
        const after = entry ? toggle(before, entry) : before;
        anchor.current = { index, base: after };
        return after;
      });
    },
    [update, from],
  );
  return {
    selection: state.selection,
    set: (selection: Selection) => {
      anchor.current = undefined;
      update(() => selection);
    },
    add: (subjects: readonly Named[]) => update((before) => choose(before, subjects, true)),
    choose: chooseOne,
    extend: from,
  };
}

function Nothing({ text, isFiltered, clear }: { text: string; isFiltered: boolean; clear: () => void }) {
  const { t } = useTranslation();
  const isEmpty = text.trim() === "" && !isFiltered;
  return (
    <Center p="xl" mih={280}>
      <Stack align="center" gap="sm" maw={420}>
        <Text ta="center" fw={500}>
          {isEmpty ? t("library.empty") : isFiltered ? t("library.noMatch") : t("library.nothing", { query: text.trim() })}
        </Text>
        {!isEmpty && (
          <Button variant="default" size="xs" onClick={clear}>
            {t("library.filter.clear")}
          </Button>
        )}
      </Stack>
    </Center>
  );
}
