import { Alert, Button, Chip, Group, Loader, Modal, NativeSelect, Stack, Text } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { ImageInfo } from "../api/client";
import { Refusal } from "../app/Refusal";
import { imageUrl } from "../artwork/url";
import { Refused } from "../upload/Refused";
import { Applying } from "./Applying";
import { CandidateCard } from "./CandidateCard";
import { everything, type Filter, type Offer, type Order, select } from "./candidates";
import { type Confirmed, type Place, useApply } from "./changes";
import { Compare } from "./Compare";
import classes from "./Find.module.css";
import { IdentifierDialog } from "./IdentifierDialog";
import { type Found, useSearch } from "./search";

interface Props {
  place: Place;
  name: string;
  image: ImageInfo | undefined;
  mbid: string | undefined;
  onClose: () => void;
  onApplied: (change: Confirmed) => void;
}

/** Candidates as they arrive, to be compared with what is in force now. */
export function FindDialog(props: Props) {
  const { t } = useTranslation();
  const [attempt, setAttempt] = useState(0);
  const slot = t(`slot.${props.place.slot}`);
  return (
    <Modal
      opened
      onClose={props.onClose}
      size={1180}
      fullScreen={useMediaQuery("(max-width: 48em)") ?? false}
      title={`${t("find.title", { slot })} · ${props.name}`}
      closeButtonProps={{ "aria-label": t("action.close") }}
    >
      <Candidates key={attempt} {...props} fresh={attempt > 0} onAgain={() => setAttempt(attempt + 1)} />
    </Modal>
  );
}

/** One search. */
function Candidates({ place, name, image, mbid, onClose, onApplied, fresh, onAgain }: Props & { fresh: boolean; onAgain: () => void }) {
  const { t } = useTranslation();
  const found = useSearch(place, fresh);
  const apply = useApply(place);
  const [filter, setFilter] = useState(everything);
  const [compared, setCompared] = useState<Offer>();
  const take = (candidate: Offer) =>
    apply.mutate(candidate, {
      onSuccess: (change) => {
        onApplied(change);
        onClose();
      },
    });
  const shown = select(found.candidates, filter);
  if (compared) {
    return (
      <Stack>
        <Compare
          now={image && imageUrl(place.kind, place.id, place.slot, { tag: image.tag })}
          then={compared.fullPreviewUrl ?? ""}
          offer={compared}
          provider={nameOf(found, compared.provider)}
          onBack={() => setCompared(undefined)}
          action={apply.isPending ? <Applying progress={apply.progress} /> : <Button onClick={() => take(compared)}>{t("action.apply")}</Button>}
        />
        {apply.error && <Refused error={apply.error} />}
      </Stack>
    );
  }
  return (
    <Stack>
      <Progress found={found} onAgain={onAgain} />
      {mbid === undefined && place.kind !== "user" && <ByName place={place} name={name} onAgain={onAgain} />}
      {found.error && <Refusal error={found.error} retry={onAgain} />}
      {apply.error && <Refused error={apply.error} />}
      {apply.isPending && <Applying progress={apply.progress} />}
      {found.candidates.length > 1 && <Filters found={found} filter={filter} shown={shown.length} onChange={setFilter} />}
      <div className={classes.grid}>
        {shown.map((candidate) => (
          <CandidateCard
            key={`${candidate.provider} ${candidate.url}`}
            candidate={candidate}
            provider={nameOf(found, candidate.provider)}
            busy={apply.isPending}
            onCompare={() => setCompared(candidate)}
            onApply={() => take(candidate)}
          />
        ))}
      </div>
    </Stack>
  );
}

/** What people call a provider. */
const nameOf = ({ asked }: Found, provider: string) => asked.find((one) => one.provider === provider)?.name ?? provider;

/** Who has answered, who is still searching, and who has failed, by name. */
function Progress({ found, onAgain }: { found: Found; onAgain: () => void }) {
  const { t } = useTranslation();
  const { state, asked, candidates, failures } = found;
  return (
    <>
      <Group justify="space-between" align="flex-start" wrap="nowrap">
        <Group gap="xs" role="status">
          {state === "searching" && <Loader size="xs" />}
          <Text size="sm" fw={500}>
            {candidates.length > 0 ? t("find.found", { count: candidates.length }) : t(state === "searching" ? "find.searching" : "find.nothing")}
          </Text>
        </Group>
        <Button size="xs" variant="default" onClick={onAgain} disabled={state === "searching"}>
          {t("action.again")}
        </Button>
      </Group>
      {asked.length > 0 && (
        <ul className={classes.asked} aria-label={t("subject.find.asked")}>
          {asked.map((one) => (
            <li key={one.provider} data-state={one.state}>
              {one.name}
              <span className={classes.outcome}>
                {one.state === "asking" ? t("subject.find.asking") : one.state === "failed" ? t("subject.find.failed") : one.count}
              </span>
            </li>
          ))}
        </ul>
      )}
      {failures.map((failure) => (
        <Alert key={failure.provider} color="yellow" py="xs" classNames={{ title: classes.warning ?? "" }} title={nameOf(found, failure.provider)}>
          {failure.message}
        </Alert>
      ))}
    </>
  );
}

/** Without an identifier providers are asked by name, and may mean somebody else. */
function ByName({ place, name, onAgain }: { place: Place; name: string; onAgain: () => void }) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  return (
    <Alert color="gray" py="xs">
      <Group justify="space-between" gap="xs">
        <Text size="sm">{t("subject.find.noIdentifier")}</Text>
        <Button size="xs" variant="default" onClick={() => setOpened(true)}>
          {t("subject.mbid.none")}
        </Button>
      </Group>
      {opened && place.kind !== "user" && (
        <IdentifierDialog kind={place.kind} id={place.id} name={name} mbid={undefined} onClose={() => setOpened(false)} onChanged={onAgain} />
      )}
    </Alert>
  );
}

const minima = [0, 300, 500, 1000, 2000] as const;
const orders: Order[] = ["best", "size", "votes", "provider"];

interface FiltersProps {
  found: Found;
  filter: Filter;
  shown: number;
  onChange: (filter: Filter) => void;
}

function Filters({ found, filter, shown, onChange }: FiltersProps) {
  const { t } = useTranslation();
  const providers = [...new Set(found.candidates.map((candidate) => candidate.provider))];
  return (
    <Group gap="xs" align="flex-end">
      <NativeSelect
        size="xs"
        label={t("subject.find.provider")}
        value={filter.provider}
        onChange={(event) => onChange({ ...filter, provider: event.currentTarget.value })}
        data={[{ value: "", label: t("subject.find.all") }, ...providers.map((value) => ({ value, label: nameOf(found, value) }))]}
      />
      <NativeSelect
        size="xs"
        label={t("subject.find.minimum")}
        value={String(filter.minimum)}
        onChange={(event) => onChange({ ...filter, minimum: Number(event.currentTarget.value) })}
        data={minima.map((value) => ({ value: String(value), label: value === 0 ? t("subject.find.any") : `≥ ${value} px` }))}
      />
      <NativeSelect
        size="xs"
        label={t("subject.find.order")}
        value={filter.order}
        onChange={(event) => onChange({ ...filter, order: event.currentTarget.value as Order })}
        data={orders.map((value) => ({ value, label: t(`subject.find.by.${value}`) }))}
      />
      <Chip size="xs" checked={filter.squareOnly} onChange={(squareOnly) => onChange({ ...filter, squareOnly })}>
        {t("subject.find.square")}
      </Chip>
      {shown < found.candidates.length && (
        <Text size="xs" c="dimmed">
          {t("subject.find.shown", { shown, count: found.candidates.length })}
        </Text>
      )}
    </Group>
  );
}
