import { Button, Loader, Select, Text, TextInput, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { answered, api, type Schemas } from "../api/client";
import { Page } from "../app/Page";
import { Refusal } from "../app/Refusal";
import { Restricted } from "../session/Restricted";
import classes from "./Activity.module.css";
import { ActivityEntry } from "./ActivityEntry";
import { byDay } from "./entries";

export function ActivityPage() {
  const { t } = useTranslation();
  return (
    <Restricted needs="admin" title={t("activity.title")}>
      <Log />
    </Restricted>
  );
}

/** The families of actions that can be asked for. */
const families = ["image", "fill", "catalog", "user", "session", "token", "settings", "cache", "library"] as const;
const kinds = ["artist", "album", "user", "token", "library", "provider"] as const;

/** What is looked for; it stands in the address, so that it can be sent to somebody. */
const names = ["actor", "action", "subject", "id", "since", "until"] as const;
type Filter = Partial<Record<(typeof names)[number], string>>;

function useFilter() {
  const [search, setSearch] = useSearchParams();
  const filter: Filter = {};
  for (const name of names) {
    const value = search.get(name);
    if (value !== null && value !== "") {
      filter[name] = value;
    }
  }
  const change = (name: keyof Filter, value: string | null) =>
    setSearch(
      (before) => {
        const after = new URLSearchParams(before);
        if (value === null || value === "") {
          after.delete(name);
        } else {
          after.set(name, value);
        }
        return after;
      },
      { replace: true },
    );
  return { filter, change, clear: () => setSearch({}, { replace: true }) };
}

/** The filter as the API wants it: days become moments, by the browser's clock. */
function queryOf(filter: Filter) {
  const start = (day: string, later: number) => {
    const date = new Date(`${day}T00:00:00`);
    date.setDate(date.getDate() + later);
    return date.toISOString();
  };
  const { since, until, subject, ...rest } = filter;
  return {
    ...rest,
    ...(kinds.some((kind) => kind === subject) && { subject: subject as Schemas["ActivityKind"] }),
    ...(since !== undefined && { since: start(since, 0) }),
    ...(until !== undefined && { until: start(until, 1) }),
  };
}

function Log() {
  const { t, i18n } = useTranslation();
  const { filter, change, clear } = useFilter();
  const [asked] = useDebouncedValue(JSON.stringify(filter), 250);
  const log = useInfiniteQuery({
    queryKey: ["activity", asked],
    queryFn: ({ signal, pageParam }) =>
      answered(
        api.GET("/api/admin/activity", {
          params: { query: { ...queryOf(JSON.parse(asked) as Filter), pageSize: 50, ...(pageParam !== undefined && { before: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (last) => last.next,
    // At the top, what happens appears; further down, nothing moves under the reader.
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 1) === 1 ? 5_000 : false),
  });
  const days = byDay(log.data?.pages.flatMap((page) => page.items) ?? []);
  const dayName = (at: string) => new Intl.DateTimeFormat(i18n.language, { dateStyle: "full" }).format(new Date(at));
  return (
    <Page title={t("activity.title")} lead={t("activity.lead")}>
      <Filters filter={filter} change={change} clear={clear} />
      {log.error && <Refusal error={log.error} retry={() => void log.refetch()} />}
      {log.isPending && <Loader aria-label={t("shell.loading")} />}
      {log.data && days.length === 0 && (
        <Text py="xl" ta="center" c="dimmed" role="status">
          {t(Object.keys(filter).length > 0 ? "activity.nothing" : "activity.empty")}
        </Text>
      )}
      {days.map(({ day, entries }) => (
        <section key={day} aria-labelledby={`day-${day}`}>
          <Title order={2} size="h5" id={`day-${day}`} className={classes.day ?? ""}>
            {dayName(entries[0]?.at ?? "")}
          </Title>
          <ol className={classes.list}>
            {entries.map((entry) => (
              <ActivityEntry key={entry.id} entry={entry} onActor={() => change("actor", entry.actor)} />
            ))}
          </ol>
        </section>
      ))}
      {log.hasNextPage && <More loading={log.isFetchingNextPage} more={() => void log.fetchNextPage()} />}
    </Page>
  );
}

interface FiltersProps {
  filter: Filter;
  change: (name: keyof Filter, value: string | null) => void;
  clear: () => void;
}

function Filters({ filter, change, clear }: FiltersProps) {
  const { t } = useTranslation();
  return (
    <div role="search" aria-label={t("activity.filters")} className={classes.filters}>
      <Select
        label={t("activity.what")}
        placeholder={t("activity.everything")}
        data={families.map((value) => ({ value, label: t(`activity.family.${value}`) }))}
        value={families.find((family) => filter.action?.startsWith(family)) ?? null}
        onChange={(value) => change("action", value)}
        clearable
        clearButtonProps={{ "aria-label": t("activity.clear") }}
      />
      <TextInput
        label={t("activity.who")}
        placeholder={t("activity.anybody")}
        value={filter.actor ?? ""}
        onChange={(event) => change("actor", event.currentTarget.value)}
      />
      <Select
        label={t("activity.subject")}
        placeholder={t("activity.everything")}
        data={kinds.map((value) => ({ value, label: t(`activity.kind.${value}`) }))}
        value={kinds.find((kind) => kind === filter.subject) ?? null}
        onChange={(value) => change("subject", value)}
        clearable
        clearButtonProps={{ "aria-label": t("activity.clear") }}
      />
      {(["since", "until"] as const).map((name) => (
        <TextInput
          key={name}
          type="date"
          label={t(`activity.${name}`)}
          value={filter[name] ?? ""}
          onChange={(event) => change(name, event.currentTarget.value)}
        />
      ))}
      {Object.keys(filter).length > 0 && (
        <Button variant="subtle" onClick={clear}>
          {t("activity.clear")}
        </Button>
      )}
    </div>
  );
}

/** Asks for the next page when it comes into view, or is pressed. */
function More({ loading, more }: { loading: boolean; more: () => void }) {
  const { t } = useTranslation();
  const end = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const seen = new IntersectionObserver(([entry]) => entry?.isIntersecting === true && !loading && more(), { rootMargin: "400px" });
    if (end.current) {
      seen.observe(end.current);
    }
    return () => seen.disconnect();
  }, [loading, more]);
  return (
    <Button ref={end} variant="default" loading={loading} onClick={more}>
      {t("activity.more")}
    </Button>
  );
}
