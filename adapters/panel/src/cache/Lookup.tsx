import { Alert, Badge, Button, Group, Paper, SegmentedControl, Select, Table, Text, Title } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";

import { answered, api, type Schemas } from "../api/client";
import { Refusal } from "../app/Refusal";
import { useSession } from "../session/session";
import classes from "./Cache.module.css";
import { type Entries, every, type Kind, kinds, subject } from "./data";
import { units } from "./units";

interface Named {
  value: string;
  label: string;
}

/** Those who are called so, the first of them. */
async function search(kind: Kind, query: string, signal: AbortSignal): Promise<Named[]> {
  const params = { query: { ...(query !== "" && { query }), pageSize: 20 } };
  switch (kind) {
    case "artist":
      return (await answered(api.GET("/api/artists", { params, signal }))).items.map(named.artist);
    case "album":
      return (await answered(api.GET("/api/albums", { params, signal }))).items.map(named.album);
    case "user":
      return (await answered(api.GET("/api/users", { params, signal }))).items.map(named.user);
  }
}

const named = {
  artist: ({ id, name }: Schemas["Artist"]): Named => ({ value: id, label: name }),
  album: ({ id, name, artistName }: Schemas["Album"]): Named => ({ value: id, label: `${name} · ${artistName}` }),
  user: ({ id, username, displayName }: Schemas["User"]): Named => ({ value: id, label: displayName ?? username }),
};

/** How somebody is called whom the address names. */
async function find(kind: Kind, id: string, signal: AbortSignal): Promise<Named> {
  const params = { path: { id } };
  switch (kind) {
    case "artist":
      return named.artist(await answered(api.GET("/api/artists/{id}", { params, signal })));
    case "album":
      return named.album(await answered(api.GET("/api/albums/{id}", { params, signal })));
    case "user":
      return named.user(await answered(api.GET("/api/users/{id}", { params, signal })));
  }
}

/** What the cache holds of an artist, an album or a user, who stands in the address. */
export function Lookup() {
  const { t } = useTranslation();
  const [address, setAddress] = useSearchParams();
  const kind = kinds.find((one) => one === address.get("kind")) ?? kinds.find((one) => address.get(one) !== null) ?? "artist";
  const id = address.get(kind);
  const [typed, setTyped] = useState("");
  const [query] = useDebouncedValue(typed.trim(), 150);
  const found = useQuery({
    queryKey: ["cache", "names", kind, query],
    queryFn: ({ signal }) => search(kind, query, signal),
    placeholderData: keepPreviousData,
  });
  const chosen = useQuery({
    queryKey: ["cache", "name", kind, id],
    queryFn: ({ signal }) => find(kind, id ?? "", signal),
    enabled: id !== null,
  });
  const name = chosen.data;
  const options = [...(name && !found.data?.some((one) => one.value === name.value) ? [name] : []), ...(found.data ?? [])];
  return (
    <Paper component="section" withBorder p="md" aria-labelledby="lookup">
      <Title order={2} size="h4" id="lookup">
        {t("cache.lookup.title")}
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        {t("cache.lookup.intro")}
      </Text>
      <Group align="end" role="search" gap="sm">
        <SegmentedControl
          aria-label={t("cache.lookup.kind")}
          data={kinds.map((one) => ({ value: one, label: t(`cache.lookup.${one}`) }))}
          value={kind}
          onChange={(value) => {
            setTyped("");
            setAddress({ kind: value }, { replace: true, preventScrollReset: true });
          }}
        />
        <Select
          aria-label={t("cache.lookup.search")}
          placeholder={t("cache.lookup.placeholder")}
          searchable
          clearable
          miw={220}
          flex="1 1 220px"
          maw={460}
          data={options}
          filter={({ options }) => options}
          value={id}
          searchValue={typed}
          onSearchChange={setTyped}
          onChange={(value) => setAddress(value === null ? { kind } : { [kind]: value }, { replace: true, preventScrollReset: true })}
          nothingFoundMessage={found.isFetching ? t("cache.lookup.searching") : t("cache.lookup.nothing")}
        />
      </Group>
      {id === null ? (
        <Text c="dimmed" size="sm" mt="md">
          {t("cache.lookup.choose")}
        </Text>
      ) : (
        <Held key={id} kind={kind} id={id} />
      )}
    </Paper>
  );
}

function Held({ kind, id }: { kind: Kind; id: string }) {
  const { t, i18n } = useTranslation();
  const { number } = units(i18n.language);
  const { may } = useSession();
  const queries = useQueryClient();
  const entries = useQuery({
    queryKey: ["cache", "entries", kind, id],
    queryFn: ({ signal }) => answered(api.GET("/api/admin/cache/entries", { params: { query: subject(kind, id) }, signal })),
    refetchInterval: every,
    staleTime: 0,
  });
  const after = { onSettled: () => queries.invalidateQueries({ queryKey: ["cache"] }) };
  const invalidate = useMutation({
    mutationFn: () => answered(api.POST("/api/admin/cache/invalidate", { body: subject(kind, id) })),
    onSuccess: (done) => notifications.show({ message: t("cache.lookup.invalidated", { count: done.keys, ms: number(done.tookMs) }) }),
    ...after,
  });
  const warm = useMutation({
    mutationFn: () => answered(api.POST("/api/admin/cache/warm", { body: subject(kind, id) })),
    onSuccess: (done) => {
      const not = done.bypassed + done.failed;
      notifications.show({
        ...(not > 0 && { color: "orange" }),
        message: [
          t("cache.lookup.warmed", { filled: done.filled, empty: done.empty, present: done.present, ms: number(done.tookMs) }),
          ...(not > 0 ? [t("cache.lookup.warmedNot", { count: not })] : []),
        ].join(" "),
      });
    },
    ...after,
  });
  const failed = invalidate.error ?? warm.error ?? (entries.data ? null : entries.error);
  return (
    <>
      <Group my="sm" gap="xs">
        <Button size="xs" variant="default" onClick={() => void entries.refetch()} loading={entries.isFetching && !entries.data}>
          {t("cache.lookup.again")}
        </Button>
        <Button
          size="xs"
          variant="default"
          onClick={() => warm.mutate()}
          loading={warm.isPending}
          disabled={!may("admin") || entries.data?.mode === "off"}
        >
          {t("cache.lookup.warm")}
        </Button>
        <Button size="xs" variant="light" color="orange" onClick={() => invalidate.mutate()} loading={invalidate.isPending} disabled={!may("admin")}>
          {t("cache.lookup.invalidate")}
        </Button>
      </Group>
      {failed && <Refusal error={failed} />}
      {entries.data?.mode === "off" && <Alert color="gray">{t("cache.lookup.off")}</Alert>}
      {entries.data?.levels.map(
        (level) =>
          level.problem !== undefined && (
            <Alert key={level.name} color="red" role="status" title={t(`cache.level.${level.name}`)}>
              {level.problem}
            </Alert>
          ),
      )}
      {entries.data && <Keys entries={entries.data} />}
    </>
  );
}

const verdictColour = { agrees: "moss", notHeld: "gray", changing: "orange", differs: "red" } as const;

function Keys({ entries }: { entries: Entries }) {
  const { t } = useTranslation();
  return (
    <div className={classes.scroll} tabIndex={0} role="region" aria-label={t("cache.lookup.title")}>
      <Table className={classes.numbers ?? ""} verticalSpacing="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">{t("cache.lookup.key")}</Table.Th>
            {entries.levels.map((level) => (
              <Table.Th key={level.name} scope="col">
                {t(`cache.level.${level.name}`)}
              </Table.Th>
            ))}
            <Table.Th scope="col">{t("cache.lookup.database")}</Table.Th>
            <Table.Th scope="col">{t("cache.lookup.verdict")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {entries.keys.map((entry) => (
            <Table.Tr key={entry.key}>
              <Table.Th scope="row" title={entry.key}>
                {t(`slot.${entry.slot as "cover"}`)}
                {entry.type !== entry.slot && (
                  <Text size="xs" c="dimmed">
                    {entry.type}
                  </Text>
                )}
              </Table.Th>
              {entries.levels.map((level) => (
                <Table.Td key={level.name} className={classes.held ?? ""}>
                  <Holding held={entry.held.find((held) => held.level === level.name)} />
                </Table.Td>
              ))}
              <Table.Td className={classes.held ?? ""}>
                {entry.inForce ? (
                  <Cached image={entry.inForce} />
                ) : (
                  <Text c="dimmed" size="sm">
                    {t("cache.lookup.empty")}
                  </Text>
                )}
              </Table.Td>
              <Table.Td>
                <Badge variant="light" color={verdictColour[entry.verdict]}>
                  {t(`cache.verdict.${entry.verdict}`)}
                </Badge>
                {entry.verdict === "differs" && <Text size="xs">{t("cache.verdictHint.differs")}</Text>}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

type HeldEntry = Entries["keys"][number]["held"][number];

function Holding({ held }: { held: HeldEntry | undefined }) {
  const { t, i18n } = useTranslation();
  const { span, time } = units(i18n.language);
  if (!held || held.holds === "nothing") {
    return (
      <Text c="dimmed" size="sm">
        {held ? t("cache.holds.nothing") : "–"}
      </Text>
    );
  }
  const left = held.expiresInMs ?? 0;
  return (
    <>
      {held.image ? <Cached image={held.image} /> : <Text size="sm">{t(`cache.holds.${held.holds}`)}</Text>}
      <Text size="xs" c="dimmed">
        {held.holds === "fence"
          ? t("cache.lookup.changesUnderWay", { count: held.changes ?? 0 })
          : left > 0
            ? t("cache.lookup.expires", { time: left < 10_000 ? time(left) : left < 600_000 ? `${Math.floor(left / 1000)} s` : span(left / 1000) })
            : held.holds === "lease"
              ? ""
              : t("cache.lookup.forGood")}
      </Text>
    </>
  );
}

function Cached({ image }: { image: NonNullable<HeldEntry["image"]> }) {
  const { t } = useTranslation();
  return (
    <>
      <Text size="sm" ff="monospace">
        {image.tag.slice(0, 12)}
      </Text>
      <Text size="xs" c="dimmed">
        {image.width} × {image.height}, {image.source === "external" ? image.provider : t(`source.${image.source as "custom"}`)}
      </Text>
    </>
  );
}
