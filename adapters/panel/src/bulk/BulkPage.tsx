import { Anchor, Button, Group, Loader, Progress, SegmentedControl, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useParams } from "react-router";

import { answered, api } from "../api/client";
import { Refusal } from "../app/Refusal";
import { moment } from "../artwork/format";
import { imageUrl } from "../artwork/url";
import classes from "../fill/Fill.module.css";
import { interval } from "../fill/fills";
import { JobsPage } from "../fill/JobsPage";
import { JobState } from "../fill/JobState";
import { useLiveState } from "../live/live";
import { hasEnded } from "../live/progress";
import { useSession } from "../session/session";
import { askedOptions, type BulkItem, type BulkJob, bulkOptions, bulksOptions, type Line, linesOf, type Outcome } from "./bulks";

/** One job that puts many images in force: how it goes on, and what became of each. */
export function BulkPage() {
  const { t } = useTranslation();
  const { jobId = "" } = useParams();
  const { may } = useSession();
  const live = useLiveState();
  const [only, setOnly] = useState<Outcome | "all">("all");
  const job = useQuery({
    ...bulkOptions(jobId),
    enabled: may("read"),
    refetchInterval: ({ state }) => interval(live, state.data !== undefined && hasEnded(state.data.state)),
  });
  const asked = useQuery({ ...askedOptions(jobId), enabled: may("read") });
  const lines = linesOf(asked.data ?? [], job.data?.results ?? []);
  const failed = lines.filter((line) => line.outcome === "failed").map((line) => line.item);
  const error = job.error ?? asked.error;
  return (
    <JobsPage
      title={job.data ? t("bulk.job", { count: job.data.total }) : t("bulk.title")}
      lead={
        <Anchor component={Link} to="/bulk" size="sm">
          ← {t("bulk.title")}
        </Anchor>
      }
    >
      {error && <Refusal error={error} retry={() => void job.refetch()} />}
      {job.isPending && <Loader />}
      {job.data && <Overview job={job.data} />}
      {job.data && (
        <section aria-label={t("job.items")}>
          <Group justify="space-between" mb="sm">
            <Title order={2} size="h4">
              {t("job.items")}
            </Title>
            <Group gap="xs">
              {failed.length > 0 && hasEnded(job.data.state) && may("write") && <Retry items={failed} />}
              <SegmentedControl
                size="xs"
                aria-label={t("job.items")}
                value={only}
                onChange={(value) => setOnly(value)}
                data={(["all", "ok", "failed"] as const).map((value) => ({ value, label: t(`bulk.only.${value}`) }))}
              />
            </Group>
          </Group>
          <ul className={classes.items}>
            {lines
              .filter((line) => only === "all" || line.outcome === only)
              .map((line) => (
                <li key={`${line.item.id} ${line.item.type}`} className={`${classes.item} ${classes.result}`} data-outcome={line.outcome}>
                  <Result line={line} />
                </li>
              ))}
          </ul>
        </section>
      )}
    </JobsPage>
  );
}

function Overview({ job }: { job: BulkJob }) {
  const { t, i18n } = useTranslation();
  const { may } = useSession();
  const queries = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => answered(api.POST("/api/admin/metadata/bulk/{jobId}/cancel", { params: { path: { jobId: job.jobId } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ["bulks"] }),
  });
  return (
    <section className={classes.card} aria-label={t("job.progress")}>
      <Stack gap="sm">
        <Group justify="space-between">
          <Group gap="sm">
            <JobState state={job.state} />
            <span className={classes.caption}>{t("job.by", { who: job.startedBy, when: moment(job.createdAt, i18n.language) })}</span>
          </Group>
          {may("write") && !hasEnded(job.state) && (
            <Button size="xs" variant="default" c="red" loading={cancel.isPending} onClick={() => cancel.mutate()}>
              {t("job.cancel")}
            </Button>
          )}
        </Group>
        <Progress value={(100 * job.done) / Math.max(1, job.total)} color={job.failed > 0 ? "orange" : "moss"} aria-label={t("job.progress")} />
        <Text size="sm" role="status">
          {t("bulk.counts", { done: job.done, total: job.total, failed: job.failed })}
        </Text>
        {cancel.error && <Refusal error={cancel.error} />}
      </Stack>
    </section>
  );
}

/** Asks for what has failed again, in a job of its own. */
function Retry({ items }: { items: BulkItem[] }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const again = useMutation({
    mutationFn: () => answered(api.POST("/api/admin/metadata/bulk/apply", { body: { items } })),
    onSuccess: async ({ jobId }) => {
      await queries.invalidateQueries({ queryKey: bulksOptions.queryKey });
      await navigate(`/bulk/${jobId}`);
    },
  });
  return (
    <>
      {again.error && <Text c="red">{again.error.message}</Text>}
      <Button size="xs" variant="light" loading={again.isPending} onClick={() => again.mutate()}>
        {t("job.retryFailed")}
      </Button>
    </>
  );
}

function Result({ line: { item, outcome, result } }: { line: Line }) {
  const { t } = useTranslation();
  const name = useName(item);
  const slot = t(`slot.${item.type}`);
  const kind = item.subject === "user" ? undefined : item.subject;
  return (
    <>
      {outcome === "ok" && kind ? (
        <img
          className={classes.picture}
          data-small
          src={imageUrl(kind, item.id, item.type, { size: "thumb", ...(result?.tag !== undefined && { tag: result.tag }) })}
          alt={t("image.alt", { slot, name })}
          loading="lazy"
        />
      ) : (
        <div className={`${classes.picture} ${classes.nothing}`} data-small aria-hidden>
          {outcome === "failed" ? "!" : "–"}
        </div>
      )}
      <Text size="sm" w={90} fw={500} {...(outcome === "failed" && { c: "red" })}>
        {t(`bulk.${outcome}`)}
      </Text>
      <Stack gap={0} className={classes.about ?? ""}>
        {kind ? (
          <Anchor component={Link} to={`/${kind}s/${item.id}`} c="inherit" fw={600}>
            {name}
          </Anchor>
        ) : (
          <Text fw={600}>{name}</Text>
        )}
        <Text size="xs" c="dimmed">
          {[slot, item.provider, result?.problem?.detail].filter(Boolean).join(" · ")}
        </Text>
      </Stack>
    </>
  );
}

/** The name of whom an item is about; the ID until it is known, or if nobody has it any more. */
function useName({ subject, id }: BulkItem): string {
  const found = useQuery({
    queryKey: ["name", subject, id],
    queryFn: async ({ signal }) => {
      const init = { params: { path: { id } }, signal };
      return (await (subject === "artist" ? answered(api.GET("/api/artists/{id}", init)) : answered(api.GET("/api/albums/{id}", init)))).name;
    },
    enabled: subject !== "user",
    staleTime: Infinity,
  });
  return found.data ?? id;
}
