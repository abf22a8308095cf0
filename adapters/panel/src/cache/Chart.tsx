import { Paper, Table, Text, Title } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { type KeyboardEvent, type PointerEvent, useId, useState } from "react";
import { useTranslation } from "react-i18next";

import classes from "./Chart.module.css";
import { type Scale, stretches } from "./scale";
import { units } from "./units";

/** One line, band or part of a bar. */
export interface Series {
  name: string;
  /** Which of the colours of the legend; the same thing has the same one in every chart. */
  tone: "blue" | "orange" | "green" | "purple" | "red";
  dashed?: boolean;
  values: (number | undefined)[];
}

interface Props {
  title: string;
  hint: string;
  kind: "lines" | "bands" | "bars";
  /** The time that is shown, and when each value was taken, in milliseconds. */
  from: number;
  to: number;
  times: number[];
  /** How long a value is good for, in milliseconds. */
  step: number;
  series: Series[];
  scale: Scale;
  format: (value: number) => string;
  /** Whether there is nothing to see although there are values. */
  idle?: boolean;
}

const height = 190;
const margin = { top: 8, right: 10, bottom: 22, left: 58 };

/**
 * A chart over time. The legend has the names, and the values at the point that is pointed
 * at, or gone to by arrow keys; the same values are in a table.
 */
export function Chart(props: Props) {
  const { title, hint, series, times, format } = props;
  const { t, i18n } = useTranslation();
  const { clock } = units(i18n.language);
  const { ref, width } = useElementSize();
  const [at, setAt] = useState<number>();
  const heading = useId();
  const shown = at !== undefined && at < times.length ? at : undefined;
  const move = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, Home: -times.length, End: times.length };
    const by = steps[event.key];
    if (by === undefined || times.length === 0) {
      return;
    }
    event.preventDefault();
    setAt(Math.min(times.length - 1, Math.max(0, (shown ?? times.length) + by)));
  };
  const point = (event: PointerEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const time = props.from + ((event.clientX - box.left - margin.left) / (box.width - margin.left - margin.right)) * (props.to - props.from);
    const nearest = times.reduce((best, candidate, i) => (Math.abs(candidate - time) < Math.abs((times[best] ?? 0) - time) ? i : best), 0);
    setAt(times.length > 0 ? nearest : undefined);
  };
  const moment = shown === undefined ? undefined : times[shown];
  return (
    <Paper component="section" withBorder p="md" aria-labelledby={heading} className={classes.card ?? ""}>
      <Title order={3} size="h5" id={heading}>
        {title}
      </Title>
      <Text size="xs" c="dimmed">
        {hint}
        {moment !== undefined && ` · ${clock(moment, true)}`}
      </Text>
      <ul className={classes.legend}>
        {series.map((one) => {
          const value = shown === undefined ? one.values.findLast((v) => v !== undefined) : one.values[shown];
          return (
            <li key={one.name} className={classes[one.tone]}>
              <svg width="18" height="10" aria-hidden>
                {props.kind === "lines" ? (
                  <line x1="0" x2="18" y1="5" y2="5" className={one.dashed ? `${classes.line} ${classes.dashed}` : classes.line} />
                ) : (
                  <rect width="14" height="10" rx="2" className={classes.band} />
                )}
              </svg>
              <span>{one.name}</span>
              <strong>{value === undefined ? "–" : format(value)}</strong>
            </li>
          );
        })}
      </ul>
      <div ref={ref} className={classes.plot}>
        {props.idle || times.length === 0 ? (
          <Text c="dimmed" size="sm" className={classes.empty ?? ""}>
            {times.length === 0 ? t("cache.collecting") : t("cache.chart.empty")}
          </Text>
        ) : (
          width > 0 && (
            <svg
              width={width}
              height={height}
              role="img"
              aria-label={`${title}. ${t("cache.chart.keys")}`}
              tabIndex={0}
              className={classes.svg}
              onKeyDown={move}
              onPointerMove={point}
              onPointerLeave={() => setAt(undefined)}
              onBlur={() => setAt(undefined)}
            >
              <Plot {...props} width={width} at={shown} />
            </svg>
          )
        )}
      </div>
      <Values {...props} />
    </Paper>
  );
}

function Plot({ kind, from, to, times, step, series, scale, format, width, at }: Props & { width: number; at: number | undefined }) {
  const { i18n } = useTranslation();
  const { clock } = units(i18n.language);
  const x = (time: number) => margin.left + ((time - from) / (to - from)) * (width - margin.left - margin.right);
  const y = (value: number) => height - margin.bottom - scale.at(value) * (height - margin.top - margin.bottom);
  const marked = at === undefined ? undefined : times[at];
  const every = labelEvery(to - from, width);
  const labels = Array.from({ length: Math.floor((to - from) / every) + 1 }, (_, i) => (Math.ceil(from / every) + i) * every).filter(
    (time) => time <= to,
  );
  return (
    <>
      {scale.ticks.map((tick) => (
        <g key={tick}>
          <line x1={margin.left} x2={width - margin.right} y1={y(tick)} y2={y(tick)} className={classes.rule} />
          <text x={margin.left - 6} y={y(tick)} className={classes.tick} textAnchor="end" dominantBaseline="middle">
            {format(tick)}
          </text>
        </g>
      ))}
      {labels.map((time) => (
        <text key={time} x={x(time)} y={height - 6} className={classes.tick} textAnchor={x(time) > width - 30 ? "end" : "middle"}>
          {clock(time)}
        </text>
      ))}
      {kind === "lines" && series.map((one) => <Line key={one.name} one={one} times={times} step={step} x={x} y={y} />)}
      {kind !== "lines" && <Stack kind={kind} series={series} times={times} step={step} x={x} y={y} />}
      {marked !== undefined && (
        <line
          x1={x(marked) - (kind === "bars" ? (x(step) - x(0)) / 2 : 0)}
          x2={x(marked) - (kind === "bars" ? (x(step) - x(0)) / 2 : 0)}
          y1={margin.top}
          y2={height - margin.bottom}
          className={classes.mark}
        />
      )}
      {marked !== undefined &&
        kind === "lines" &&
        series.map((one) => {
          const value = at === undefined ? undefined : one.values[at];
          return (
            value !== undefined && <circle key={one.name} cx={x(marked)} cy={y(value)} r="4" className={`${classes.dot} ${classes[one.tone]}`} />
          );
        })}
    </>
  );
}

/** Labels of the time are as close as there is room for them. */
function labelEvery(span: number, width: number): number {
  const minute = 60_000;
  const most = Math.max(2, Math.floor(width / 90));
  return [minute, 2 * minute, 5 * minute, 10 * minute, 15 * minute, 20 * minute, 30 * minute].find((every) => span / every <= most) ?? 60 * minute;
}

interface Marks {
  times: number[];
  step: number;
  x: (time: number) => number;
  y: (value: number) => number;
}

/** Neighbours belong together unless a point is missing between them. */
const adjacent = (times: number[], step: number) => (i: number) => (times[i] ?? 0) - (times[i - 1] ?? 0) < 1.5 * step;

function Line({ one, times, step, x, y }: Marks & { one: Series }) {
  return stretches(one.values, adjacent(times, step)).map(({ from, values }) => {
    const points = values.map((value, i) => [x(times[from + i] ?? 0), y(value)] as const);
    const [first] = points;
    const tone = classes[one.tone] ?? "";
    if (points.length === 1 && first) {
      return <circle key={from} cx={first[0]} cy={first[1]} r="2" className={`${classes.dot} ${tone}`} />;
    }
    return (
      <polyline
        key={from}
        points={points.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(" ")}
        className={`${classes.line} ${tone} ${one.dashed ? (classes.dashed ?? "") : ""}`}
      />
    );
  });
}

/** Each value from its stretch's beginning to its end, on top of those before it. */
function Stack({ kind, series, times, step, x, y }: Marks & { kind: "bands" | "bars"; series: Series[] }) {
  const gap = kind === "bars" ? 1 : 0;
  return times.map((time, i) => {
    let below = 0;
    return (
      <g key={time}>
        {series.map((one) => {
          const value = one.values[i] ?? 0;
          const base = below;
          below += value;
          if (value === 0) {
            return null;
          }
          const left = x(time - step) + gap;
          return (
            <rect
              key={one.name}
              x={left}
              width={Math.max(1, x(time) - left - gap + (kind === "bands" ? 0.5 : 0))}
              y={y(below)}
              height={Math.max(0, y(base) - y(below))}
              className={`${classes.band} ${classes[one.tone]}`}
            />
          );
        })}
      </g>
    );
  });
}

/** The same values, for those who would rather read them. */
function Values({ title, times, series, format }: Props) {
  const { t, i18n } = useTranslation();
  const { clock } = units(i18n.language);
  const [opened, setOpened] = useState(false);
  if (times.length === 0) {
    return null;
  }
  return (
    <details className={classes.details} onToggle={(event) => setOpened(event.currentTarget.open)}>
      <summary>{t("cache.chart.table")}</summary>
      {opened && (
        <div className={classes.table} tabIndex={0} role="region" aria-label={title}>
          <Table fz="xs" stickyHeader>
            <Table.Thead>
              <Table.Tr>
                <Table.Th scope="col">{t("cache.chart.time")}</Table.Th>
                {series.map((one) => (
                  <Table.Th scope="col" key={one.name} ta="right">
                    {one.name}
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {times
                .map((time, i) => (
                  <Table.Tr key={time}>
                    <Table.Th scope="row">{clock(time, true)}</Table.Th>
                    {series.map((one) => {
                      const value = one.values[i];
                      return (
                        <Table.Td key={one.name} ta="right">
                          {value === undefined ? "–" : format(value)}
                        </Table.Td>
                      );
                    })}
                  </Table.Tr>
                ))
                .reverse()}
            </Table.Tbody>
          </Table>
        </div>
      )}
    </details>
  );
}
