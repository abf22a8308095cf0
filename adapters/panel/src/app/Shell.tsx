import { ActionIcon, Anchor, AppShell, Button, Group, SegmentedControl, Text, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link, NavLink, Outlet, useNavigation } from "react-router";

import { languages, speak, type Language } from "../i18n";
import { useSession } from "../session/session";
import classes from "./Shell.module.css";

export function Shell() {
  const { t } = useTranslation();
  return (
    <AppShell header={{ height: 56 }} padding={0}>
      <a className={classes.skip} href="#content">
        {t("skip")}
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" gap="lg" wrap="nowrap" justify="space-between">
          <Group gap="lg" wrap="nowrap">
            <Anchor component={Link} to="/" underline="never" c="inherit" visibleFrom="sm">
              <Text fw={700} size="lg">
                {t("title")}
              </Text>
            </Anchor>
            <Group component="nav" gap="xs" wrap="nowrap">
              <NavLink to="/" end className={classes.link ?? ""}>
                {t("library.artists")}
              </NavLink>
              <NavLink to="/albums" className={classes.link ?? ""}>
                {t("library.albums")}
              </NavLink>
            </Group>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <LanguageSwitch />
            <SchemeSwitch />
            <Who />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Main id="content" aria-busy={useNavigation().state !== "idle"}>
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}

function LanguageSwitch() {
  const { t, i18n } = useTranslation();
  return (
    <SegmentedControl
      size="xs"
      aria-label={t("action.language")}
      data={languages.map((language) => ({ value: language, label: language.toUpperCase() }))}
      value={i18n.resolvedLanguage ?? "en"}
      onChange={(language) => speak(language as Language)}
    />
  );
}

function SchemeSwitch() {
  const { t } = useTranslation();
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme("light") === "dark";
  return (
    <ActionIcon
      variant="default"
      size="lg"
      aria-label={t("action.theme")}
      aria-pressed={dark}
      onClick={() => setColorScheme(dark ? "light" : "dark")}
    >
      <span aria-hidden>{dark ? "☀" : "☾"}</span>
    </ActionIcon>
  );
}

function Who() {
  const { t } = useTranslation();
  const { principal, askToSignIn, signOut } = useSession();
  if (!principal) {
    return (
      <Button size="xs" onClick={askToSignIn}>
        {t("action.signIn")}
      </Button>
    );
  }
  return (
    <Group gap="xs" wrap="nowrap">
      <Text size="sm" visibleFrom="sm">
        {principal.name}
      </Text>
      <Button size="xs" variant="default" onClick={() => void signOut()}>
        {t("action.signOut")}
      </Button>
    </Group>
  );
}
