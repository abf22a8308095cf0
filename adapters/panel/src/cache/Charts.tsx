import { Paper, SimpleGrid, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import classes from "./Cache.module.css";
import { Chart, type Series } from "./Chart";
import { type History, hitRate, type Mode, type Point, reads, refusedStale, together } from "./data";
import { linear, logarithmic, type Scale } from "./scale";
import { units } from "./units";

/** What an operator wants to know first. */
export function Tiles({ history }: { history: History }) {
  const { t, i18n } = useTranslation();
  const { number, percent, precise, time } = units(i18n.language);
  const { total, lastMinute } = history;
  const rate = hitRate(lastMinute);
  const perSecond = lastMinute.seconds > 0 ? reads(lastMinute) / lastMinute.seconds : 0;
  const none = t("cache.tile.none");
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 5 }} spacing="sm">
      <Tile
        label={t("cache.tile.hitRate")}
        value={rate === undefined ? "–" : percent(rate)}
        hint={rate === undefined ? none : t("cache.tile.hitRateHint")}
      />
      <Tile label={t("cache.tile.reads")} value={precise(perSecond)} hint={t("cache.tile.readsHint")} />
      <Tile
        label={t("cache.tile.latency")}
        value={lastMinute.readMs ? time(lastMinute.readMs.p50) : "–"}
        hint={lastMinute.readMs ? t("cache.tile.latencyHint", { p99: time(lastMinute.readMs.p99) }) : none}
      />
      <Tile
        label={t("cache.tile.changes")}
        value={number(total.changes)}
        hint={
          total.changeMs
            ? t("cache.tile.changesHint", { count: total.changes, p50: time(total.changeMs.p50), p99: time(total.changeMs.p99) })
            : t("cache.tile.changesNone")
        }
      />
      <Tile label={t("cache.tile.refused")} value={number(refusedStale(total))} hint={t("cache.tile.refusedHint")} />
    </SimpleGrid>
  );
}

function Tile({ label, value, hint }: { label: string; value: string; hint: string }) {
  return (
    <Paper withBorder p="md" component="section" aria-label={label}>
      <Text size="sm" c="dimmed">
        {label}
      </Text>
      <Text className={classes.figure ?? ""}>{value}</Text>
      <Text size="xs" c="dimmed">
        {hint}
      </Text>
    </Paper>
  );
}

const minute = 60;

/** The history as charts. */
export function Charts({ history, mode, minutes }: { history: History; mode: Mode | undefined; minutes: number }) {
  const { t, i18n } = useTranslation();
  const { number, percent, precise, time } = units(i18n.language);
  const last = history.points.at(-1);
  const to = last ? Date.parse(last.at) : 0;
  const from = to - minutes * minute * 1000;
  const within = (points: Point[]) => points.filter((point) => Date.parse(point.at) > from);
  const points = within(history.points);
  const smooth = minutes > 15 ? within(together(history.points, 30)) : points;
  const byMinute = within(together(history.points, minute));
  const span = { from, to };
  const fine = { ...span, times: times(points), step: history.resolutionSeconds * 1000 };
  const coarse = { ...span, times: times(smooth), step: minutes > 15 ? 30_000 : fine.step };
  const bars = { ...span, times: times(byMinute), step: minute * 1000, to: Math.max(to, ...times(byMinute)) };

  const share = (pick: (point: Point) => number) => smooth.map((point) => (reads(point) === 0 ? undefined : pick(point) / reads(point)));
  const levels: (Series | false)[] = [
    (mode === "memory" || mode === "twolevel" || mode === undefined || points.some((p) => p.processHits > 0)) && {
      name: t("cache.level.process"),
      tone: "blue" as const,
      values: share((p) => p.processHits),
    },
    (mode === "redis" || mode === "twolevel" || points.some((p) => p.sharedHits > 0)) && {
      name: t("cache.level.shared"),
      tone: "green" as const,
      values: share((p) => p.sharedHits),
    },
    { name: t("cache.level.databaseCached"), tone: "orange", values: share((p) => p.fills) },
    { name: t("cache.level.databaseOnly"), tone: "purple", values: share((p) => p.bypasses) },
    smooth.some((p) => p.errors > 0) && { name: t("cache.chart.errors"), tone: "red" as const, values: share((p) => p.errors) },
  ];
  const rates = smooth.map((point) => reads(point) / point.seconds);
  const stacked = (pick: ((point: Point) => number)[]) => Math.max(0, ...byMinute.map((point) => pick.reduce((sum, of) => sum + of(point), 0)));
  const reasons = ["fenced", "gone", "takenOver", "expired", "unreachable"] as const;
  const tones = { fenced: "blue", gone: "orange", takenOver: "green", expired: "purple", unreachable: "red" } as const;
  const refusals = reasons.map((why) => (point: Point) => point.refusedFills[why] ?? 0);
  const succeeded = (point: Point) => point.changes - point.failedChanges;

  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md">
      <Chart
        {...coarse}
        title={t("cache.chart.hitRate")}
        hint={t("cache.chart.hitRateHint")}
        kind="bands"
        series={levels.filter((one) => one !== false)}
        scale={{ at: (value) => value, ticks: [0, 0.25, 0.5, 0.75, 1] }}
        format={percent}
        idle={smooth.every((point) => reads(point) === 0)}
      />
      <Chart
        {...coarse}
        title={t("cache.chart.requests")}
        hint={t("cache.chart.requestsHint")}
        kind="lines"
        series={[{ name: t("cache.chart.total"), tone: "blue", values: rates }]}
        scale={linear(Math.max(0, ...rates))}
        format={precise}
      />
      <Chart
        {...fine}
        title={t("cache.chart.latency")}
        hint={t("cache.chart.latencyHint")}
        kind="lines"
        series={quantiles(t("cache.chart.p50"), t("cache.chart.p99"), points, (point) => point.readMs)}
        scale={around(points, (point) => point.readMs)}
        format={time}
        idle={points.every((point) => !point.readMs)}
      />
      <Chart
        {...fine}
        title={t("cache.chart.change")}
        hint={t("cache.chart.changeHint")}
        kind="lines"
        series={quantiles(t("cache.chart.p50"), t("cache.chart.p99"), points, (point) => point.changeMs)}
        scale={around(points, (point) => point.changeMs)}
        format={time}
        idle={points.every((point) => !point.changeMs)}
      />
      <Chart
        {...bars}
        title={t("cache.chart.changes")}
        hint={t("cache.chart.changesHint")}
        kind="bars"
        series={[
          { name: t("cache.chart.succeeded"), tone: "blue", values: byMinute.map(succeeded) },
          { name: t("cache.chart.failed"), tone: "red", values: byMinute.map((point) => point.failedChanges) },
        ]}
        scale={linear(stacked([(point) => point.changes]), true)}
        format={number}
        idle={byMinute.every((point) => point.changes === 0)}
      />
      <Chart
        {...bars}
        title={t("cache.chart.refused")}
        hint={t("cache.chart.refusedHint")}
        kind="bars"
        series={reasons.map((why, i) => ({
          name: t(`cache.refusal.${why}`),
          tone: tones[why],
          values: byMinute.map((point) => refusals[i]?.(point)),
        }))}
        scale={linear(stacked(refusals), true)}
        format={number}
        idle={stacked(refusals) === 0}
      />
    </SimpleGrid>
  );
}

const times = (points: Point[]) => points.map((point) => Date.parse(point.at));

type Quantiles = Point["readMs"];

function quantiles(half: string, most: string, points: Point[], of: (point: Point) => Quantiles): Series[] {
  return [
    { name: half, tone: "blue", values: points.map((point) => of(point)?.p50) },
    { name: most, tone: "orange", dashed: true, values: points.map((point) => of(point)?.p99) },
  ];
}

function around(points: Point[], of: (point: Point) => Quantiles): Scale {
  const known = points.map(of).filter((one) => one !== undefined);
  return logarithmic(Math.min(...known.map((one) => one.p50), 1000), Math.max(...known.map((one) => one.p99), 0));
}
