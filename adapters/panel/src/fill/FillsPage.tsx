import { Button, Checkbox, Group, Loader, Progress, SegmentedControl, Slider, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";

import type { Slot } from "../api/client";
import { Refusal } from "../app/Refusal";
import { moment } from "../artwork/format";
import { slotsOf } from "../artwork/url";
import { loadPage } from "../library/entries";
import { useLiveState } from "../live/live";
import { hasEnded } from "../live/progress";
import { useSession } from "../session/session";
import classes from "./Fill.module.css";
import { type FillJob, fillsOptions, interval, kindOf, percent, useStart } from "./fills";
import { JobsPage } from "./JobsPage";
import { JobState } from "./JobState";

/** Begins searches for what is missing, and lists those of the last days. */
export function FillsPage() {
  const { t } = useTranslation();
  const { may } = useSession();
  return (
    <JobsPage title={t("fill.title")} lead={t("fill.lead")}>
      {may("write") ? <StartForm /> : <Text c="dimmed">{t("job.notAllowed")}</Text>}
      <Fills />
    </JobsPage>
  );
}

const slots: readonly Slot[] = [...slotsOf.album, ...slotsOf.artist];

function StartForm() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [slot, setSlot] = useState<Slot>("cover");
  const [minScore, setMinScore] = useState(0.7);
  const [again, setAgain] = useState(false);
  const start = useStart();
  const kind = slot === "cover" ? "album" : "artist";
  const missing = useQuery({
    queryKey: ["library", kind, { missing: slot }, 1],
    queryFn: ({ signal }) => loadPage(kind, { missing: slot }, { page: 1 }, signal),
  });
  const begin = (dryRun: boolean) =>
    start.mutate({ type: slot, dryRun, minScore, again }, { onSuccess: ({ jobId }) => void navigate(`/fill/${jobId}`) });
  return (
    <section className={classes.card} aria-label={t("fill.start")}>
      <Stack gap="md">
        <Title order={2} size="h4">
          {t("fill.start")}
        </Title>
        <Group gap="md">
          <SegmentedControl
            aria-label={t("fill.slot")}
            value={slot}
            onChange={(value) => setSlot(value)}
            data={slots.map((one) => ({ value: one, label: t(`slot.${one}`) }))}
            style={{ flexWrap: "wrap" }}
          />
          <Text size="sm" c="dimmed" aria-live="polite">
            {missing.data && t("fill.scope", { count: missing.data.total })}
          </Text>
        </Group>
        <div>
          <Text size="sm" fw={500} id="least">
            {t("fill.minScore")}
          </Text>
          <Slider
            maw={420}
            min={0}
            max={1}
            step={0.05}
            value={minScore}
            onChange={setMinScore}
            label={(value) => value.toFixed(2)}
            marks={[0.3, 0.5, 0.7, 0.9].map((value) => ({ value, label: String(value) }))}
            thumbProps={{ "aria-labelledby": "least" }}
            mb="lg"
          />
          <Text size="xs" c="dimmed" mt="xl">
            {t("fill.minScoreHelp")}
          </Text>
        </div>
        <Checkbox label={t("fill.again")} checked={again} onChange={(event) => setAgain(event.currentTarget.checked)} />
        <Group>
          <Button loading={start.isPending} disabled={missing.data?.total === 0} onClick={() => begin(true)}>
            {t("fill.preview")}
          </Button>
          <Button variant="default" loading={start.isPending} disabled={missing.data?.total === 0} onClick={() => begin(false)}>
            {t("fill.apply")}
          </Button>
        </Group>
        {start.error && <Refusal error={start.error} />}
      </Stack>
    </section>
  );
}

function Fills() {
  const { t } = useTranslation();
  const live = useLiveState();
  const fills = useQuery({
    ...fillsOptions,
    refetchInterval: ({ state }) => interval(live, state.data?.jobs.every((job) => hasEnded(job.state)) ?? false),
  });
  return (
    <section aria-label={t("fill.jobs")}>
      <Title order={2} size="h4" mb="sm">
        {t("fill.jobs")}
      </Title>
      {fills.error && <Refusal error={fills.error} retry={() => void fills.refetch()} />}
      {fills.isPending && <Loader />}
      {fills.data?.jobs.length === 0 && <Text c="dimmed">{t("fill.none")}</Text>}
      <ul className={classes.jobs}>
        {fills.data?.jobs.map((job) => (
          <li key={job.jobId}>
            <Job job={job} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Job({ job }: { job: FillJob }) {
  const { t, i18n } = useTranslation();
  return (
    <article className={`${classes.card} ${classes.job}`}>
      <div>
        <Link to={`/fill/${job.jobId}`} className={classes.jobName ?? ""}>
          {t("fill.of", { slot: t(`slot.${job.type}`), kind: t(`fill.kind.${kindOf(job)}`) })}
        </Link>
        <Text size="sm" c="dimmed">
          {t("job.by", { who: job.startedBy, when: moment(job.createdAt, i18n.language) })}
          {job.named === true && ` · ${t("fill.named")}`}
        </Text>
      </div>
      <JobState state={job.state} />
      {!hasEnded(job.state) && <Progress className={classes.wide ?? ""} value={percent(job)} size="sm" aria-label={t("job.progress")} />}
      <div className={classes.wide}>
        <Counts job={job} />
      </div>
    </article>
  );
}

const told = ["applied", "proposed", "ambiguous", "below", "absent", "skipped", "recent", "failed"] as const;

/** How many there are of each outcome; those of which there are none are not told. */
export function Counts({ job }: { job: FillJob }) {
  const { t } = useTranslation();
  return (
    <dl className={classes.counts}>
      <div>
        <dt>/ {job.counts.total.toLocaleString()}</dt>
        <dd>{job.counts.walked.toLocaleString()}</dd>
      </div>
      {told
        .filter((name) => job.counts[name] > 0)
        .map((name) => (
          <div key={name}>
            <dt>{t(`fill.counts.${name}`)}</dt>
            <dd>{job.counts[name].toLocaleString()}</dd>
          </div>
        ))}
    </dl>
  );
}
