import { Alert, Anchor, Button, Group, Loader, Progress, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";

import { Refusal } from "../app/Refusal";
import { moment } from "../artwork/format";
import { useLiveState } from "../live/live";
import { hasEnded } from "../live/progress";
import { useSession } from "../session/session";
import classes from "./Fill.module.css";
import { Counts } from "./FillsPage";
import { type FillJob, fillOptions, interval, kindOf, percent, useOrder } from "./fills";
import { JobsPage } from "./JobsPage";
import { JobState } from "./JobState";
import { Results } from "./Results";
import { Review } from "./Review";

/** One search: how it goes on, what it proposes or has done, and what can be done about it. */
export function FillPage() {
  const { t } = useTranslation();
  const { jobId = "" } = useParams();
  const { may } = useSession();
  const live = useLiveState();
  const fill = useQuery({
    ...fillOptions(jobId),
    enabled: may("read"),
    refetchInterval: ({ state }) => interval(live, state.data !== undefined && hasEnded(state.data.state)),
  });
  const job = fill.data;
  return (
    <JobsPage
      title={job ? t("fill.of", { slot: t(`slot.${job.type}`), kind: t(`fill.kind.${kindOf(job)}`) }) : t("fill.title")}
      lead={
        <Anchor component={Link} to="/fill" size="sm">
          ← {t("fill.jobs")}
        </Anchor>
      }
    >
      {fill.error && <Refusal error={fill.error} retry={() => void fill.refetch()} />}
      {fill.isPending && <Loader />}
      {job && (
        <Stack gap="lg">
          <Overview job={job} />
          {job.dryRun ? <Review job={job} /> : <Results job={job} />}
        </Stack>
      )}
    </JobsPage>
  );
}

function Overview({ job }: { job: FillJob }) {
  const { t, i18n } = useTranslation();
  const { may } = useSession();
  const order = useOrder(job.jobId);
  const ended = hasEnded(job.state);
  return (
    <section className={classes.card} aria-label={t("job.progress")}>
      <Stack gap="sm">
        <Group justify="space-between">
          <Group gap="sm">
            <JobState state={job.state} />
            <span className={classes.caption}>{t("job.by", { who: job.startedBy, when: moment(job.createdAt, i18n.language) })}</span>
          </Group>
          {may("write") && (
            <Group gap="xs">
              {!ended && job.state !== "paused" && (
                <Button size="xs" variant="default" loading={order.isPending} onClick={() => order.mutate("pause")}>
                  {t("job.pause")}
                </Button>
              )}
              {(job.state === "paused" || job.state === "failed") && (
                <Button size="xs" variant="default" loading={order.isPending} onClick={() => order.mutate("resume")}>
                  {t("job.resume")}
                </Button>
              )}
              {!ended && (
                <Button size="xs" variant="default" c="red" loading={order.isPending} onClick={() => order.mutate("cancel")}>
                  {t("job.cancel")}
                </Button>
              )}
            </Group>
          )}
        </Group>
        <Progress value={percent(job)} animated={job.state === "running"} aria-label={t("job.progress")} />
        <Counts job={job} />
        {job.reason !== undefined && <Alert color={job.state === "failed" ? "red" : "yellow"}>{job.reason}</Alert>}
        {order.error && <Refusal error={order.error} />}
      </Stack>
    </section>
  );
}
