import { Group, Select, Text, TextInput, VisuallyHidden } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQueries } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import type { Slot } from "../api/client";
import { Refusal } from "../app/Refusal";
import { type Kind, slotsOf } from "../artwork/url";
import { ArtworkGrid, type Entry } from "./ArtworkGrid";
import classes from "./Library.module.css";
import { pageSize, pagesFor } from "./pages";

export interface Page {
  entries: Entry[];
  total: number;
}

export interface Filter {
  query?: string;
  missing?: Slot;
}

interface Props {
  kind: Kind;
  /** Fetches a page of entries, counted from 1. */
  load: (filter: Filter, page: number, signal: AbortSignal) => Promise<Page>;
}

/** The library as a grid of artwork. What is searched for stands in the address. */
export function LibraryPage({ kind, load }: Props) {
  const { t } = useTranslation();
  const [search, setSearch] = useSearchParams();
  const [visible, setVisible] = useState({ first: 0, last: 60 });
  const typed = search.get("query") ?? "";
  const [query] = useDebouncedValue(typed, 150);
  const missing = slotsOf[kind].find((slot) => slot === search.get("missing"));
  const filter: Filter = { ...(query.trim() !== "" && { query: query.trim() }), ...(missing && { missing }) };

  const [total, setTotal] = useState(pageSize);
  const pages = pagesFor(visible.first, visible.last, Math.max(total, 1));
  const results = useQueries({
    queries: pages.map((page) => ({
      queryKey: ["library", kind, filter, page],
      queryFn: ({ signal }: { signal: AbortSignal }) => load(filter, page, signal),
      placeholderData: keepPreviousData,
    })),
  });
  const known = results.find((result) => result.data)?.data?.total;
  if (known !== undefined && known !== total) {
    setTotal(known);
  }
  const entryAt = (index: number): Entry | undefined => {
    const at = pages.indexOf(Math.floor(index / pageSize) + 1);
    return at < 0 ? undefined : results[at]?.data?.entries[index % pageSize];
  };
  const change = (name: string, value: string) =>
    setSearch(
      (before) => {
        const after = new URLSearchParams(before);
        if (value === "") {
          after.delete(name);
        } else {
          after.set(name, value);
        }
        return after;
      },
      { replace: true },
    );
  const failed = results.find((result) => result.error && !result.data);
  return (
    <>
      <VisuallyHidden component="h1">{t(`library.${kind}s`)}</VisuallyHidden>
      <Group className={classes.bar ?? ""} role="search">
        <TextInput
          type="search"
          aria-label={t("library.search")}
          placeholder={t("library.search")}
          value={typed}
          onChange={(event) => change("query", event.currentTarget.value)}
          className={classes.search ?? ""}
        />
        <Select
          aria-label={t("missing.label")}
          data={[{ value: "", label: t("missing.all") }, ...slotsOf[kind].map((slot) => ({ value: slot, label: t(`missing.${slot as "profile"}`) }))]}
          value={missing ?? ""}
          onChange={(value) => change("missing", value ?? "")}
          allowDeselect={false}
        />
        <Text size="sm" c="dimmed" role="status">
          {known !== undefined && t("library.total", { count: known })}
        </Text>
      </Group>
      {failed?.error ? (
        <Refusal error={failed.error} retry={() => void failed.refetch()} />
      ) : known === 0 ? (
        <Text p="xl" ta="center" c="dimmed">
          {typed === "" && !missing ? t("library.empty") : t("library.nothing", { query: typed })}
        </Text>
      ) : (
        <ArtworkGrid kind={kind} total={total} entryAt={entryAt} onVisible={setVisible} />
      )}
    </>
  );
}
