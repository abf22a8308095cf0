import { ActionIcon, Anchor, Badge, Button, Group, Loader, Menu, NativeSelect, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { answered, api, type Schemas } from "../api/client";
import { Icon } from "../app/Icon";
import { later } from "../app/later";
import { Refusal } from "../app/Refusal";
import { ago } from "../app/time";
import { useNow } from "../app/useNow";
import { useSession } from "../session/session";
import { Avatar } from "./Avatar";
import classes from "./Users.module.css";

const UserDialog = later(async () => ({ default: (await import("./UserDialog")).UserDialog }));
const DeleteDialog = later(async () => ({ default: (await import("../deleted/DeleteDialog")).DeleteDialog }));
const UserPasswordDialog = later(async () => ({ default: (await import("./UserPasswordDialog")).UserPasswordDialog }));

export type User = Schemas["ListedUser"];
type Account = Schemas["Account"];

const pageSize = 50;

type Shown = "all" | "accounts" | "disabled";

/** All users, and how each of them signs in. */
export function Users() {
  const { t } = useTranslation();
  const [typed, setTyped] = useState("");
  const [query] = useDebouncedValue(typed.trim(), 150);
  const [shown, setShown] = useState<Shown>("all");
  const [creating, setCreating] = useState(false);
  const accounts = useQuery({
    queryKey: ["users", "accounts"],
    queryFn: ({ signal }) => answered(api.GET("/api/admin/accounts", { signal })),
  });
  const users = useInfiniteQuery({
    queryKey: ["users", "list", query],
    queryFn: ({ signal, pageParam }) =>
      answered(api.GET("/api/users", { params: { query: { ...(query !== "" && { query }), page: pageParam, pageSize } }, signal })),
    initialPageParam: 1,
    getNextPageParam: (last, all) => (all.length * pageSize < last.total ? all.length + 1 : undefined),
    placeholderData: keepPreviousData,
  });
  const accountOf = new Map(accounts.data?.items.map((account) => [account.id, account]));
  const listed = users.data?.pages.flatMap((page) => page.items) ?? [];
  const wanted = listed.filter(({ id }) => {
    const account = accountOf.get(id);
    return shown === "all" || (account && (shown === "accounts" || account.disabled));
  });
  const error = users.error ?? accounts.error;
  const more = users.hasNextPage;
  return (
    <>
      <Group mb="md" gap="sm">
        <TextInput
          type="search"
          aria-label={t("users.search")}
          placeholder={t("users.search")}
          flex="1 1 200px"
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <NativeSelect
          aria-label={t("users.shown")}
          data={(["all", "accounts", "disabled"] as const).map((value) => ({ value, label: t(`users.show.${value}`) }))}
          value={shown}
          onChange={(event) => setShown(event.currentTarget.value as Shown)}
          w={190}
        />
        <Button leftSection={<Icon name="plus" size={16} />} onClick={() => setCreating(true)}>
          {t("users.create")}
        </Button>
      </Group>
      {error && <Refusal error={error} retry={() => void Promise.all([users.refetch(), accounts.refetch()])} />}
      {(users.isPending || accounts.isPending) && !error && <Loader aria-label={t("shell.loading")} />}
      {users.data && accounts.data && (
        <>
          <Text size="sm" c="dimmed" role="status" mb="xs">
            {t("users.count", { count: shown === "all" ? (users.data.pages[0]?.total ?? 0) : wanted.length })}
          </Text>
          <ul className={classes.list}>
            {wanted.map((user) => (
              <Row key={user.id} user={user} account={accountOf.get(user.id)} />
            ))}
          </ul>
          {more && (
            <Button variant="default" mt="md" loading={users.isFetchingNextPage} onClick={() => void users.fetchNextPage()}>
              {t("users.more")}
            </Button>
          )}
        </>
      )}
      <Suspense>{creating && <UserDialog onClose={() => setCreating(false)} />}</Suspense>
    </>
  );
}

const roleColors: Record<Schemas["Role"], string> = { user: "gray", editor: "blue", admin: "moss" };

function Row({ user, account }: { user: User; account: Account | undefined }) {
  const { t } = useTranslation();
  const name = user.displayName ?? user.username;
  return (
    <li className={classes.row} aria-label={user.username}>
      <div className={classes.face}>
        <Avatar id={user.id} name={name} tag={user.images.avatar?.tag} />
      </div>
      <div className={classes.name}>
        <Anchor component={Link} to={`/users/${user.id}`} fw={550} truncate display="block" c="inherit">
          {name}
        </Anchor>
        <Text size="sm" c="dimmed" truncate>
          {user.username}
        </Text>
      </div>
      <div className={classes.facts}>
        <SignsIn account={account} />
        <Badge variant="light" color={roleColors[user.role]}>
          {t(`users.role.${user.role}`)}
        </Badge>
      </div>
      <div className={classes.menu}>
        <RowMenu user={user} account={account} />
      </div>
    </li>
  );
}

function SignsIn({ account }: { account: Account | undefined }) {
  const { t, i18n } = useTranslation();
  const now = useNow(30_000);
  if (!account) {
    return (
      <Text size="sm" c="dimmed">
        {t("users.noWay")}
      </Text>
    );
  }
  if (account.disabled) {
    return (
      <Badge variant="light" color="red">
        {t("users.disabled")}
      </Badge>
    );
  }
  const ways = [account.hasPassword && t("users.byPassword"), account.identities > 0 && t("users.byProvider")].filter((way) => way !== false);
  return (
    <Text size="sm" c="dimmed">
      {ways.join(", ")}
      {" · "}
      {account.lastSignInAt === undefined ? t("users.never") : t("users.last", { when: ago(account.lastSignInAt, now, i18n.language) })}
    </Text>
  );
}

/** What can be done with a user. Nobody locks themselves out here. */
function RowMenu({ user, account }: { user: User; account: Account | undefined }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const { principal } = useSession();
  const [open, setOpen] = useState<"edit" | "password" | "delete">();
  const disable = useMutation({
    mutationFn: (disabled: boolean) => answered(api.PUT("/api/users/{id}/disabled", { params: { path: { id: user.id } }, body: { disabled } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ["users"] }),
  });
  const oneself = principal?.id === user.id;
  return (
    <>
      <Menu position="bottom-end" width={220}>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" size={36} loading={disable.isPending} aria-label={t("users.menu", { name: user.username })}>
            <Icon name="more" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => setOpen("edit")}>{t("users.edit")}</Menu.Item>
          <Menu.Item onClick={() => setOpen("password")}>{t(account?.hasPassword ? "users.resetPassword" : "users.givePassword")}</Menu.Item>
          {account && !oneself && (
            <Menu.Item {...(!account.disabled && { color: "red" })} onClick={() => disable.mutate(!account.disabled)}>
              {t(account.disabled ? "users.enable" : "users.disable")}
            </Menu.Item>
          )}
          {oneself ? (
            <Menu.Label>{t("users.oneself")}</Menu.Label>
          ) : (
            <Menu.Item color="red" onClick={() => setOpen("delete")}>
              {t("deleting.action")}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      {disable.error && <Refusal error={disable.error} />}
      <Suspense>
        {open === "edit" && <UserDialog user={user} onClose={() => setOpen(undefined)} />}
        {open === "password" && <UserPasswordDialog user={user} onClose={() => setOpen(undefined)} />}
        {open === "delete" && (
          <DeleteDialog target={{ kind: "user", id: user.id, name: user.displayName ?? user.username }} onClose={() => setOpen(undefined)} />
        )}
      </Suspense>
    </>
  );
}
