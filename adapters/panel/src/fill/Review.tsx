import { Anchor, Badge, Button, Group, Stack, Text, Title } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";

import { Refusal } from "../app/Refusal";
import { imageUrl } from "../artwork/url";
import { imagesOf } from "../live/caches";
import { hasEnded } from "../live/progress";
import { useSession } from "../session/session";
import { decide, decidedAs, type Decision, type Decisions, keep, recall, undo } from "./decisions";
import classes from "./Fill.module.css";
import { type FillItem, type FillJob, itemsOptions, useCarryOut, useStart } from "./fills";

/** The proposals of a dry run: somebody looks at each, decides, and has what was accepted put in force. */
export function Review({ job }: { job: FillJob }) {
  const { t } = useTranslation();
  const { may } = useSession();
  const navigate = useNavigate();
  const proposed = useInfiniteQuery(itemsOptions(job.jobId, "proposed"));
  const ambiguous = useInfiniteQuery({ ...itemsOptions(job.jobId, "ambiguous"), enabled: job.counts.ambiguous > 0 });
  const items = [proposed, ambiguous].flatMap((found) => found.data?.pages.flatMap((page) => page.items) ?? []).filter((item) => item.candidate);
  const sure = items.filter((item) => item.outcome === "proposed").map((item) => item.id);
  const ids = items.map((item) => item.id);
  const [decisions, setDecisions] = useState<Decisions>(() => recall(sessionStorage, job.jobId));
  useEffect(() => keep(sessionStorage, job.jobId, decisions), [decisions, job.jobId]);
  const [active, setActive] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const carryOut = useCarryOut(job.jobId);
  const accepted = decidedAs(decisions, ids, "accepted");
  const more = proposed.hasNextPage || ambiguous.hasNextPage;

  const go = (to: number) => {
    const next = Math.max(0, Math.min(ids.length - 1, to));
    setActive(next);
    list.current?.children[next]?.querySelector<HTMLElement>("[data-item]")?.focus();
  };
  const settle = (index: number, decision: Decision) => {
    const id = ids[index];
    if (id !== undefined && may("write")) {
      setDecisions((before) => decide(before, [id], decision));
      go(index + 1);
    }
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const act = {
      j: () => go(active + 1),
      ArrowDown: () => go(active + 1),
      k: () => go(active - 1),
      ArrowUp: () => go(active - 1),
      Home: () => go(0),
      End: () => go(ids.length - 1),
      a: () => settle(active, "accepted"),
      r: () => settle(active, "rejected"),
      u: () => setDecisions(undo),
    }[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  };
  const loadMore = () => void (proposed.hasNextPage ? proposed.fetchNextPage() : ambiguous.fetchNextPage());
  const error = proposed.error ?? ambiguous.error;
  return (
    <section aria-label={t("fill.review.title")} onKeyDown={onKey}>
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h4">
          {t("fill.review.title")}
        </Title>
        {items.length > 0 && may("write") && (
          <Text size="sm" c="dimmed" visibleFrom="sm">
            {t("fill.review.help")}
          </Text>
        )}
      </Group>
      {error && <Refusal error={error} retry={() => void proposed.refetch()} />}
      {items.length === 0 && !proposed.isPending && <Text c="dimmed">{t(hasEnded(job.state) ? "fill.review.none" : "fill.review.nothing")}</Text>}
      {items.length === 0 && hasEnded(job.state) && job.counts.below > 0 && may("write") && <AskForLess job={job} />}
      <ul className={classes.items} ref={list}>
        {items.map((item, index) => (
          <li key={item.id}>
            <Proposal
              item={item}
              decision={decisions.by[item.id]}
              reachable={index === Math.min(active, ids.length - 1)}
              onFocus={() => setActive(index)}
              onDecide={may("write") ? (decision) => settle(index, decision) : undefined}
            />
          </li>
        ))}
      </ul>
      {more && (
        <Button mt="sm" variant="default" onClick={loadMore} loading={proposed.isFetchingNextPage || ambiguous.isFetchingNextPage}>
          {t("fill.review.loadAll")}
        </Button>
      )}
      {items.length > 0 && may("write") && (
        <div className={classes.foot}>
          <Text size="sm" role="status" className={classes.grow ?? ""}>
            {t("fill.review.decided", {
              accepted: accepted.length,
              rejected: decidedAs(decisions, ids, "rejected").length,
              open: decidedAs(decisions, ids, undefined).length,
            })}
          </Text>
          <Button variant="subtle" size="xs" disabled={decisions.past.length === 0} onClick={() => setDecisions(undo)}>
            {t("fill.review.undo")}
          </Button>
          <Button
            variant="default"
            size="xs"
            disabled={decidedAs(decisions, sure, undefined).length === 0}
            onClick={() => setDecisions((before) => decide(before, decidedAs(before, sure, undefined), "accepted"))}
          >
            {t("fill.review.acceptRest")}
          </Button>
          <Button
            disabled={accepted.length === 0}
            loading={carryOut.isPending}
            onClick={() => carryOut.mutate(accepted, { onSuccess: ({ jobId }) => void navigate(`/fill/${jobId}`) })}
          >
            {t("fill.review.run", { count: accepted.length })}
          </Button>
          {carryOut.error && <Refusal error={carryOut.error} />}
        </div>
      )}
    </section>
  );
}

/** Begins another search, in which images are good enough that were not. */
function AskForLess({ job }: { job: FillJob }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const start = useStart();
  const minScore = Math.max(0, Math.round((job.minScore - 0.2) * 100) / 100);
  const begin = () =>
    start.mutate({ type: job.type, dryRun: true, minScore, again: false }, { onSuccess: ({ jobId }) => void navigate(`/fill/${jobId}`) });
  return (
    <Button mt="sm" variant="default" loading={start.isPending} onClick={begin}>
      {t("fill.review.less", { score: minScore })}
    </Button>
  );
}

interface ProposalProps {
  item: FillItem;
  decision: Decision | undefined;
  reachable: boolean;
  onFocus: () => void;
  onDecide: ((decision: Decision) => void) | undefined;
}

function Proposal({ item, decision, reachable, onFocus, onDecide }: ProposalProps) {
  const { t } = useTranslation();
  const kind = item.subject as "artist" | "album";
  const found = item.candidate;
  // Somebody may have filled the slot meanwhile.
  const images = useQuery({
    queryKey: [kind, item.id, "slots"],
    queryFn: () => imagesOf(kind, item.id),
    enabled: reachable || decision !== undefined,
  });
  const current = images.data?.[item.type];
  const wide = item.type === "banner" || item.type === "background" || item.type === "logo" || undefined;
  return (
    <article
      className={classes.item}
      data-item
      data-slot={item.type}
      data-decision={decision}
      tabIndex={reachable ? 0 : -1}
      onFocus={onFocus}
      aria-label={item.name}
    >
      <div>
        {current ? (
          <img
            className={classes.picture}
            data-wide={wide}
            src={imageUrl(kind, item.id, item.type, { size: "small", tag: current.tag })}
            alt={t("fill.review.current")}
          />
        ) : (
          <div className={`${classes.picture} ${classes.nothing}`} data-wide={wide}>
            {t("fill.review.empty")}
          </div>
        )}
        <div className={classes.caption}>{t("fill.review.current")}</div>
      </div>
      <div>
        <img className={classes.picture} data-wide={wide} src={found?.previewUrl} alt={t("fill.review.image", { name: item.name })} loading="lazy" />
        <div className={classes.caption}>{t("fill.review.proposed")}</div>
      </div>
      <Stack gap={2} className={classes.about ?? ""}>
        <Group gap="xs">
          <Anchor component={Link} to={`/${kind}s/${item.id}`} c="inherit" fw={600}>
            {item.name}
          </Anchor>
          {decision && (
            <Badge size="sm" variant={decision === "accepted" ? "filled" : "default"}>
              {t(`fill.review.${decision}`)}
            </Badge>
          )}
        </Group>
        {item.artistName !== undefined && (
          <Text size="sm" c="dimmed">
            {item.artistName}
          </Text>
        )}
        <Text size="sm">
          <b>{t("fill.review.score", { score: (item.score ?? 0).toFixed(2) })}</b>
          {" · "}
          {found?.provider}
          {" · "}
          {found?.width && found.height ? t("fill.review.size", { width: found.width, height: found.height }) : t("fill.review.sizeUnknown")}
        </Text>
        {found?.licence !== undefined && found.licence !== "" && (
          <Text size="xs" c="dimmed">
            {[found.licence, found.attribution].filter(Boolean).join(", ")}
          </Text>
        )}
        {found?.byName === true && (
          <Text size="xs" c="dimmed">
            {t("fill.review.byName")}
          </Text>
        )}
        {item.reason !== undefined && item.reason !== "" && (
          <Text size="xs" c="dimmed">
            {item.reason}
          </Text>
        )}
      </Stack>
      {onDecide && (
        <Group gap="xs" className={classes.choices ?? ""} wrap="nowrap">
          <Button
            size="xs"
            tabIndex={reachable ? 0 : -1}
            variant={decision === "accepted" ? "filled" : "light"}
            onClick={() => onDecide("accepted")}
            aria-pressed={decision === "accepted"}
          >
            {t("fill.review.accept")}
          </Button>
          <Button
            size="xs"
            tabIndex={reachable ? 0 : -1}
            variant="default"
            onClick={() => onDecide("rejected")}
            aria-pressed={decision === "rejected"}
          >
            {t("fill.review.reject")}
          </Button>
        </Group>
      )}
    </article>
  );
}
