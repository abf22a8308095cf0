import { Button, Container, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link, useRouteError } from "react-router";

import { Icon } from "./Icon";

/** The page of what cannot be shown: an address with nothing behind it, or a failure. */
export function Broken({ missing = false }: { missing?: boolean }) {
  const { t } = useTranslation();
  const error = useRouteError();
  return (
    <Container size="xs" py={80}>
      <Stack align="center" ta="center" gap="sm">
        <ThemeIcon size={64} radius="xl" variant="light" color={missing ? "gray" : "red"} aria-hidden>
          <Icon name={missing ? "off" : "alert"} size={28} />
        </ThemeIcon>
        <Title order={1} size="h3">
          {missing ? t("error.notFound") : t("error.title")}
        </Title>
        {!missing && <Text c="dimmed">{error instanceof TypeError ? t("error.reload") : String(error)}</Text>}
        {missing ? (
          <Button component={Link} to="/" variant="default">
            {t("action.back")}
          </Button>
        ) : (
          <Button onClick={() => location.reload()}>{t("action.retry")}</Button>
        )}
      </Stack>
    </Container>
  );
}
