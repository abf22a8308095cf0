import { Button, Container, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { ApiError } from "../api/client";
import { Icon } from "../app/Icon";
import { Refusal } from "../app/Refusal";
import type { SubjectKind } from "../artwork/url";
import { useSession } from "../session/session";

/** The page of a subject that cannot be shown: it is not there, perhaps because somebody has deleted it meanwhile, or could not be read. */
export function Gone({ kind, error, retry }: { kind: SubjectKind; error: Error; retry: () => void }) {
  const { t } = useTranslation();
  const { may } = useSession();
  if (!(error instanceof ApiError) || error.status !== 404) {
    return (
      <Container size="md" py="lg">
        <Refusal error={error} retry={retry} />
      </Container>
    );
  }
  return (
    <Container size="xs" py={80}>
      <Stack align="center" ta="center" gap="sm">
        <ThemeIcon size={64} radius="xl" variant="light" color="gray" aria-hidden>
          <Icon name="off" size={28} />
        </ThemeIcon>
        <Title order={1} size="h3">
          {t("deleting.gone")}
        </Title>
        {may("write") && (
          <>
            <Text c="dimmed">{t("deleting.goneHint")}</Text>
            <Button component={Link} to={`/deleted?kind=${kind}`} variant="default">
              {t("deleting.look")}
            </Button>
          </>
        )}
      </Stack>
    </Container>
  );
}
