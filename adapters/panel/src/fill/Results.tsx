import { Anchor, Button, Group, Loader, NativeSelect, Stack, Text, Title } from "@mantine/core";
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";

import { Refusal } from "../app/Refusal";
import { imageUrl } from "../artwork/url";
import { hasEnded } from "../live/progress";
import { useSession } from "../session/session";
import classes from "./Fill.module.css";
import { type FillItem, type FillJob, idsOf, itemsOptions, type Outcome, useCarryOut, useStart } from "./fills";

const outcomes = ["applied", "failed", "skipped", "ambiguous", "below", "absent"] as const;

/** What became of each subject of a job, with the reason, and a way to try what has failed again. */
export function Results({ job }: { job: FillJob }) {
  const { t } = useTranslation();
  const [outcome, setOutcome] = useState<Outcome>();
  const found = useInfiniteQuery(itemsOptions(job.jobId, outcome));
  const items = found.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section aria-label={t("job.items")}>
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h4">
          {t("job.items")}
        </Title>
        <Group gap="xs">
          <RetryFailed job={job} />
          <NativeSelect
            size="xs"
            aria-label={t("job.items")}
            value={outcome ?? "all"}
            onChange={({ currentTarget: { value } }) => setOutcome(outcomes.find((one) => one === value))}
            data={[
              { value: "all", label: t("fill.results.all") },
              ...outcomes.map((one) => ({ value: one, label: `${t(`fill.counts.${one}`)} (${job.counts[one]})` })),
            ]}
          />
        </Group>
      </Group>
      {found.error && <Refusal error={found.error} retry={() => void found.refetch()} />}
      {found.isPending && <Loader />}
      {!found.isPending && items.length === 0 && <Text c="dimmed">{t("fill.results.empty")}</Text>}
      <ul className={classes.items}>
        {items.map((item) => (
          <li key={item.id} className={`${classes.item} ${classes.result}`} data-outcome={item.outcome}>
            <Result item={item} />
          </li>
        ))}
      </ul>
      {found.hasNextPage && (
        <Button mt="sm" variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {t("job.more")}
        </Button>
      )}
    </section>
  );
}

function Result({ item }: { item: FillItem }) {
  const { t } = useTranslation();
  const kind = item.subject as "artist" | "album";
  return (
    <>
      {item.outcome === "applied" ? (
        <img
          className={classes.picture}
          data-small
          src={imageUrl(kind, item.id, item.type, { size: "thumb", ...(item.tag !== undefined && { tag: item.tag }) })}
          alt={t("image.alt", { slot: t(`slot.${item.type}`), name: item.name })}
          loading="lazy"
        />
      ) : (
        <div className={`${classes.picture} ${classes.nothing}`} data-small aria-hidden>
          {item.outcome === "failed" ? "!" : "–"}
        </div>
      )}
      <Text size="sm" w={110} fw={500} {...(item.outcome === "failed" && { c: "red" })}>
        {t(`fill.counts.${item.outcome}`)}
      </Text>
      <Stack gap={0} className={classes.about ?? ""}>
        <Anchor component={Link} to={`/${kind}s/${item.id}`} c="inherit" fw={600}>
          {item.name}
        </Anchor>
        <Text size="xs" c="dimmed">
          {[item.artistName, item.candidate?.provider, item.reason].filter(Boolean).join(" · ")}
        </Text>
      </Stack>
    </>
  );
}

/** Asks again for those that have failed: of accepted proposals the same images, of others anew. */
function RetryFailed({ job }: { job: FillJob }) {
  const { t } = useTranslation();
  const { may } = useSession();
  const navigate = useNavigate();
  const start = useStart();
  const carryOut = useCarryOut(job.of ?? job.jobId);
  const again = useMutation({
    mutationFn: async () => {
      const failed = await idsOf(job.jobId, "failed");
      return job.of === undefined
        ? start.mutateAsync({ type: job.type, dryRun: job.dryRun, minScore: job.minScore, again: true, only: failed })
        : carryOut.mutateAsync(failed);
    },
    onSuccess: ({ jobId }) => navigate(`/fill/${jobId}`),
  });
  if (job.counts.failed === 0 || !hasEnded(job.state) || !may("write")) {
    return null;
  }
  return (
    <>
      {again.error && <Text c="red">{again.error.message}</Text>}
      <Button size="xs" variant="light" loading={again.isPending} onClick={() => again.mutate()}>
        {t("job.retryFailed")}
      </Button>
    </>
  );
}
