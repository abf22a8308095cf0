import {
  ActionIcon,
  Anchor,
  AppShell,
  Box,
  Breadcrumbs,
  Burger,
  Button,
  Group,
  Text,
  useComputedColorScheme,
  useMantineColorScheme,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Suspense, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, Outlet, useLocation, useNavigation } from "react-router";

import { Away } from "../health/Away";
import { type Principal, useSession } from "../session/session";
import { Icon } from "./Icon";
import { later } from "./later";
import { MenuButton } from "./MenuButton";
import { entryOf, navigation } from "./navigation";
import { Pages } from "./Pages";
import classes from "./Shell.module.css";
import { useArrival } from "./useArrival";

const wide = "md";

const PagesDrawer = later(async () => ({ default: (await import("./PagesDrawer")).PagesDrawer }));
const LanguageMenu = later(async () => ({ default: (await import("./LanguageMenu")).LanguageMenu }));
const AccountMenu = later(async () => ({ default: (await import("../session/AccountMenu")).AccountMenu }));
const PasswordDialog = later(async () => ({ default: (await import("../session/PasswordDialog")).PasswordDialog }));

/** What is around every page: where one is, where one can go, and who one is. */
export function Shell() {
  const { t } = useTranslation();
  const { pathname } = useLocation();
  const [drawer, { open, close }] = useDisclosure();
  const main = useRef<HTMLElement>(null);
  useArrival(main, t("title"));
  useEffect(close, [close, pathname]);
  return (
    <AppShell header={{ height: 56 }} navbar={{ width: 232, breakpoint: wide, collapsed: { mobile: true } }} padding={0}>
      <a className={classes.skip} href="#content" onClick={() => main.current?.focus()}>
        {t("skip")}
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" gap="sm" wrap="nowrap" justify="space-between">
          <Group gap="sm" wrap="nowrap" className={classes.where ?? ""}>
            <Burger opened={drawer} onClick={open} hiddenFrom={wide} size="sm" aria-label={t("shell.menu")} aria-expanded={drawer} />
            <Logo />
            <Crumbs />
          </Group>
          <Group gap={6} wrap="nowrap">
            <LanguageSwitch />
            <SchemeSwitch />
            <Who />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm" component="div">
        <Pages />
      </AppShell.Navbar>
      {drawer && (
        <Suspense>
          <PagesDrawer onClose={close} />
        </Suspense>
      )}
      <AppShell.Main ref={main} id="content" tabIndex={-1} className={classes.main ?? ""} aria-busy={useNavigation().state !== "idle"}>
        <Away />
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}

function Logo() {
  const { t } = useTranslation();
  return (
    <Anchor component={Link} to="/" underline="never" c="inherit" className={classes.logo ?? ""} aria-label={t("shell.home")}>
      <svg width={24} height={24} viewBox="0 0 24 24" aria-hidden focusable="false">
        <rect x={1} y={3} width={10.5} height={18} rx={1.5} className={classes.leaf} />
        <rect x={12.5} y={3} width={10.5} height={18} rx={1.5} className={classes.leaf} opacity={0.55} />
        <circle cx={6.25} cy={12} r={2.6} className={classes.hole} />
      </svg>
      <Text component="span" fw={700} size="lg" visibleFrom="xs">
        {t("title")}
      </Text>
    </Anchor>
  );
}

/** Where the page is: its group and its entry of the navigation. */
function Crumbs() {
  const { t } = useTranslation();
  const { pathname } = useLocation();
  const entry = entryOf(pathname);
  const group = navigation.find(({ entries }) => entry && entries.includes(entry));
  if (!entry || !group) {
    return null;
  }
  return (
    <Box component="nav" aria-label={t("shell.crumbs")} visibleFrom={wide} ml="sm">
      <Breadcrumbs separator={<Icon name="chevron" size={12} />} separatorMargin={6}>
        <Text size="sm" c="dimmed">
          {t(`shell.group.${group.group}`)}
        </Text>
        {pathname === entry.to ? (
          <Text size="sm" aria-current="page">
            {t(`shell.page.${entry.page}`)}
          </Text>
        ) : (
          <Anchor component={Link} to={entry.to} size="sm">
            {t(`shell.page.${entry.page}`)}
          </Anchor>
        )}
      </Breadcrumbs>
    </Box>
  );
}

function LanguageSwitch() {
  const { t } = useTranslation();
  return (
    <MenuButton menu={(button) => <LanguageMenu button={button} />}>
      <ActionIcon variant="subtle" color="gray" size={36} className={classes.tool ?? ""} aria-label={t("action.language")}>
        <Icon name="language" />
      </ActionIcon>
    </MenuButton>
  );
}

function SchemeSwitch() {
  const { t } = useTranslation();
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme("light") === "dark";
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size={36}
      className={classes.tool ?? ""}
      aria-label={t("action.theme")}
      aria-pressed={dark}
      onClick={() => setColorScheme(dark ? "light" : "dark")}
    >
      <Icon name={dark ? "sun" : "moon"} />
    </ActionIcon>
  );
}

function Who() {
  const { t } = useTranslation();
  const { principal, pending, askToSignIn } = useSession();
  if (principal) {
    return <Account principal={principal} />;
  }
  return pending ? null : (
    <Button size="xs" onClick={askToSignIn}>
      {t("action.signIn")}
    </Button>
  );
}

function Account({ principal }: { principal: Principal }) {
  const { t } = useTranslation();
  const [changing, setChanging] = useState(false);
  const name = principal.user?.displayName ?? principal.name;
  return (
    <>
      <MenuButton menu={(button) => <AccountMenu principal={principal} onChangePassword={() => setChanging(true)} button={button} />}>
        <Button
          size="xs"
          variant="default"
          h={36}
          classNames={{ root: classes.account ?? "", section: classes.accountSection ?? "" }}
          aria-label={t("shell.account", { name: principal.name })}
          leftSection={
            <span className={classes.initial} aria-hidden>
              {name.slice(0, 1).toUpperCase()}
            </span>
          }
        >
          <Text component="span" size="sm" truncate maw={140} ml={8} visibleFrom="xs">
            {name}
          </Text>
        </Button>
      </MenuButton>
      {changing && (
        <Suspense>
          <PasswordDialog onClose={() => setChanging(false)} />
        </Suspense>
      )}
    </>
  );
}
