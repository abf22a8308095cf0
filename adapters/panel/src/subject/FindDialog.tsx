import { Alert, Badge, Button, Group, Loader, Modal, SimpleGrid, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { Candidate, ImageInfo } from "../api/client";
import { Refusal } from "../app/Refusal";
import { Artwork } from "../artwork/Artwork";
import { type Confirmed, type Place, useApply } from "./changes";
import { useSearch } from "./search";
import classes from "./Subject.module.css";

interface Props {
  place: Place;
  name: string;
  image: ImageInfo | undefined;
  onClose: () => void;
  onApplied: (change: Confirmed) => void;
}

/** Candidates as they arrive, beside what is in force now. */
export function FindDialog(props: Props) {
  const { t } = useTranslation();
  const [attempt, setAttempt] = useState(0);
  const slot = t(`slot.${props.place.slot}`);
  return (
    <Modal
      opened
      onClose={props.onClose}
      size="xl"
      title={`${t("find.title", { slot })} · ${props.name}`}
      closeButtonProps={{ "aria-label": t("action.close") }}
    >
      <Candidates key={attempt} {...props} fresh={attempt > 0} onAgain={() => setAttempt(attempt + 1)} />
    </Modal>
  );
}

/** One search. */
function Candidates({ place, name, image, onClose, onApplied, fresh, onAgain }: Props & { fresh: boolean; onAgain: () => void }) {
  const { t } = useTranslation();
  const found = useSearch(place, fresh);
  const apply = useApply(place);
  const slot = t(`slot.${place.slot}`);
  const take = (candidate: Candidate) =>
    apply.mutate(candidate, {
      onSuccess: (change) => {
        onApplied(change);
        onClose();
      },
    });
  return (
    <Stack>
      <Group justify="space-between" role="status">
        <Group gap="xs">
          {found.state === "searching" && <Loader size="xs" />}
          <Text size="sm">
            {found.state === "searching" && found.candidates.length === 0
              ? t("find.searching")
              : found.candidates.length === 0
                ? t("find.nothing")
                : t("find.found", { count: found.candidates.length })}
          </Text>
        </Group>
        <Button size="xs" variant="default" onClick={onAgain} disabled={found.state === "searching"}>
          {t("action.again")}
        </Button>
      </Group>
      {found.failures.map((failure) => (
        <Alert key={failure.provider} color="yellow" py="xs">
          {t("find.failed", failure)}
        </Alert>
      ))}
      {found.error && <Refusal error={found.error} retry={onAgain} />}
      {apply.error && <Refusal error={apply.error} />}
      {apply.isPending && (
        <Text size="sm" role="status">
          {t("applied.applying")}
        </Text>
      )}
      <SimpleGrid cols={{ base: 2, sm: 3, md: 4 }}>
        {image && (
          <figure className={classes.candidate}>
            <Artwork {...place} tag={image.tag} alt={t("image.alt", { slot, name })} width={200} height={160} />
            <figcaption>
              <Badge>{t("find.current")}</Badge> {image.width} × {image.height}
            </figcaption>
          </figure>
        )}
        {found.candidates.map((candidate) => (
          <CandidateCard key={candidate.url} candidate={candidate} busy={apply.isPending} onApply={() => take(candidate)} />
        ))}
      </SimpleGrid>
    </Stack>
  );
}

function CandidateCard({ candidate, busy, onApply }: { candidate: Candidate; busy: boolean; onApply: () => void }) {
  const { t } = useTranslation();
  const { width, height } = candidate;
  return (
    <figure className={classes.candidate}>
      <img
        className={classes.preview}
        src={candidate.previewUrl ?? ""}
        alt={`${t("find.candidate")}: ${candidate.provider}`}
        loading="lazy"
        referrerPolicy="no-referrer"
      />
      <figcaption>
        <Text size="sm" fw={500}>
          {candidate.provider}
        </Text>
        <Text size="xs" c="dimmed">
          {width !== undefined && height !== undefined && `${width} × ${height} (${(width / height).toFixed(2)})`}
          {candidate.votes !== undefined && candidate.votes > 0 && ` · ${t("find.votes", { count: candidate.votes })}`}
        </Text>
        {(candidate.licence ?? candidate.attribution) !== undefined && (
          <Text size="xs" c="dimmed">
            {[candidate.licence, candidate.attribution].filter(Boolean).join(" · ")}
          </Text>
        )}
        {candidate.byName === true && (
          <Text size="xs" c="yellow.8">
            {t("find.byName")}
          </Text>
        )}
        <Button size="xs" mt={4} fullWidth disabled={busy} onClick={onApply}>
          {t("action.apply")}
        </Button>
      </figcaption>
    </figure>
  );
}
