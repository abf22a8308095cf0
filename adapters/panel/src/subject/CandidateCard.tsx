import { Badge, Button, Group, Text, UnstyledButton } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { type Offer, ratio } from "./candidates";
import classes from "./Find.module.css";

interface Props {
  candidate: Offer;
  /** What people call it. */
  provider: string;
  busy: boolean;
  onCompare: () => void;
  onApply: () => void;
}

/** What a provider offers, and what it says of it. */
export function CandidateCard({ candidate, provider, busy, onCompare, onApply }: Props) {
  const { t } = useTranslation();
  const [failed, setFailed] = useState(false);
  const { width, height, votes = 0, licence, attribution } = candidate;
  return (
    <figure className={classes.card} data-slot={candidate.type}>
      <UnstyledButton className={classes.picture ?? ""} onClick={onCompare} aria-label={`${t("find.compare")}: ${provider}`} tabIndex={-1}>
        {failed || candidate.previewUrl === undefined ? (
          <Text size="xs" c="dimmed">
            {t("subject.find.noPreview")}
          </Text>
        ) : (
          <img src={candidate.previewUrl} alt={`${t("find.candidate")}: ${provider}`} loading="lazy" onError={() => setFailed(true)} />
        )}
      </UnstyledButton>
      <figcaption>
        <Group justify="space-between" gap={4} wrap="nowrap">
          <Text size="sm" fw={600} truncate>
            {provider}
          </Text>
          {votes > 0 && (
            <Badge size="sm" variant="light" color="gray" className={classes.votes ?? ""}>
              {t("find.votes", { count: votes })}
            </Badge>
          )}
        </Group>
        <Text size="xs" c="dimmed">
          {width !== undefined && height !== undefined ? `${width} × ${height} · ${ratio(width, height)}` : t("subject.find.noSize")}
        </Text>
        <Text size="xs" c="dimmed" lineClamp={2}>
          {[licence, attribution].filter(Boolean).join(" · ") || t("subject.fact.noRights")}
        </Text>
        {candidate.byName === true && (
          <Text size="xs" className={classes.warning ?? ""}>
            {t("find.byName")}
          </Text>
        )}
      </figcaption>
      <Group gap={6} mt="auto" grow preventGrowOverflow={false}>
        <Button size="xs" variant="default" onClick={onCompare}>
          {t("find.compare")}
        </Button>
        <Button size="xs" disabled={busy} onClick={onApply}>
          {t("action.apply")}
        </Button>
      </Group>
    </figure>
  );
}
