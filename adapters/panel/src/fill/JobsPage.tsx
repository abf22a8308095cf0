import { Alert, Button, Container, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useSession } from "../session/session";

interface Props {
  title: string;
  lead?: ReactNode;
  children: ReactNode;
}

/** A page about jobs, for who may look at them. */
export function JobsPage({ title, lead, children }: Props) {
  const { t } = useTranslation();
  const { principal, may, askToSignIn } = useSession();
  return (
    <Container size="lg" py="lg" px={{ base: "md", sm: "xl" }}>
      <Stack gap="lg">
        <div>
          <Title order={1} size="h2">
            {title}
          </Title>
          {lead !== undefined && (
            <Text c="dimmed" maw={680} component="div">
              {lead}
            </Text>
          )}
        </div>
        {may("read") ? (
          children
        ) : principal ? (
          <Alert color="gray">{t("job.notAllowed")}</Alert>
        ) : (
          <Alert color="gray" title={t("job.signIn")}>
            <Button size="xs" onClick={askToSignIn}>
              {t("action.signIn")}
            </Button>
          </Alert>
        )}
      </Stack>
    </Container>
  );
}
