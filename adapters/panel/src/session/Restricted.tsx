import { Button, Container, Loader, Stack, Text, ThemeIcon } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { Icon } from "../app/Icon";
import { type Scope, useSession } from "./session";

interface Props {
  /** What whoever sees the page has to have. */
  needs: Scope;
  /** The heading of the page. */
  title: string;
  children: ReactNode;
}

/** A page for those who may see it. Others are told why they do not. */
export function Restricted({ needs, title, children }: Props) {
  const { t } = useTranslation();
  const { principal, pending, may, askToSignIn } = useSession();
  if (may(needs)) {
    return children;
  }
  if (pending) {
    return <Loader m="xl" aria-label={t("shell.loading")} />;
  }
  return (
    <Container size="xs" py={80}>
      <Stack align="center" ta="center" gap="sm">
        <ThemeIcon size={64} radius="xl" variant="light" aria-hidden>
          <Icon name="lock" size={28} />
        </ThemeIcon>
        <Text component="h1" fz="h3" fw={650} m={0}>
          {title}
        </Text>
        <Text c="dimmed">
          {principal ? t("session.mayNot", { role: t(`role.${principal.scope}`), needed: t(`role.${needs}`) }) : t("session.needed")}
        </Text>
        {!principal && <Button onClick={askToSignIn}>{t("action.signIn")}</Button>}
      </Stack>
    </Container>
  );
}
