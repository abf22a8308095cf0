import { Loader, Progress, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { Refusal } from "../app/Refusal";
import { moment } from "../artwork/format";
import classes from "../fill/Fill.module.css";
import { interval } from "../fill/fills";
import { JobsPage } from "../fill/JobsPage";
import { JobState } from "../fill/JobState";
import { useLiveState } from "../live/live";
import { hasEnded } from "../live/progress";
import { useSession } from "../session/session";
import { bulksOptions } from "./bulks";

/** The jobs of the last days that put many images in force. */
export function BulksPage() {
  const { t, i18n } = useTranslation();
  const { may } = useSession();
  const live = useLiveState();
  const bulks = useQuery({
    ...bulksOptions,
    enabled: may("read"),
    refetchInterval: ({ state }) => interval(live, state.data?.jobs.every((job) => hasEnded(job.state)) ?? false),
  });
  return (
    <JobsPage title={t("bulk.title")} lead={t("bulk.lead")}>
      {bulks.error && <Refusal error={bulks.error} retry={() => void bulks.refetch()} />}
      {bulks.isPending && <Loader />}
      {bulks.data?.jobs.length === 0 && <Text c="dimmed">{t("bulk.none")}</Text>}
      <ul className={classes.jobs}>
        {bulks.data?.jobs.map((job) => (
          <li key={job.jobId} className={`${classes.card} ${classes.job}`}>
            <div>
              <Link to={`/bulk/${job.jobId}`} className={classes.jobName ?? ""}>
                {t("bulk.job", { count: job.total })}
              </Link>
              <Text size="sm" c="dimmed">
                {t("job.by", { who: job.startedBy, when: moment(job.createdAt, i18n.language) })}
              </Text>
            </div>
            <JobState state={job.state} />
            {!hasEnded(job.state) && (
              <Progress className={classes.wide ?? ""} size="sm" value={(100 * job.done) / job.total} aria-label={t("job.progress")} />
            )}
            <Text size="sm" className={classes.wide ?? ""}>
              {t("bulk.counts", { done: job.done, total: job.total, failed: job.failed })}
            </Text>
          </li>
        ))}
      </ul>
    </JobsPage>
  );
}
