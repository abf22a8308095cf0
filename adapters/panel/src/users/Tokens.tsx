import { Alert, Badge, Button, Group, Loader, Modal, Select, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { answered, api, type Schemas } from "../api/client";
import { CopyButton } from "../app/CopyButton";
import { Icon } from "../app/Icon";
import { Refusal } from "../app/Refusal";
import { ago } from "../app/time";
import { useNow } from "../app/useNow";
import { moment } from "../artwork/format";
import classes from "./Users.module.css";

type Token = Schemas["Token"];

const key = ["tokens"];

/** The API tokens: what programs have instead of a password. */
export function Tokens() {
  const { t } = useTranslation();
  const [creating, setCreating] = useState(false);
  const tokens = useQuery({ queryKey: key, queryFn: ({ signal }) => answered(api.GET("/api/admin/tokens", { signal })) });
  return (
    <>
      <Group mb="md" justify="space-between">
        <Text size="sm" c="dimmed" flex="1 1 260px">
          {t("tokens.lead")}
        </Text>
        <Button leftSection={<Icon name="plus" size={16} />} onClick={() => setCreating(true)}>
          {t("tokens.create")}
        </Button>
      </Group>
      {tokens.error && <Refusal error={tokens.error} retry={() => void tokens.refetch()} />}
      {tokens.isPending && <Loader aria-label={t("shell.loading")} />}
      {tokens.data?.total === 0 && (
        <Text py="xl" ta="center" c="dimmed">
          {t("tokens.none")}
        </Text>
      )}
      <ul className={classes.list}>
        {tokens.data?.items.toReversed().map((token) => (
          <Row key={token.id} token={token} />
        ))}
      </ul>
      {creating && <CreateDialog onClose={() => setCreating(false)} />}
    </>
  );
}

function Row({ token }: { token: Token }) {
  const { t, i18n } = useTranslation();
  const now = useNow(30_000);
  const [revoking, setRevoking] = useState(false);
  const expired = token.expiresAt !== undefined && Date.parse(token.expiresAt) <= now;
  const used = token.lastUsedAt === undefined ? t("tokens.unused") : t("tokens.used", { when: ago(token.lastUsedAt, now, i18n.language) });
  const expires =
    token.expiresAt === undefined
      ? t("tokens.noEnd")
      : t(expired ? "tokens.expired" : "tokens.expires", { when: moment(token.expiresAt, i18n.language) });
  return (
    <li className={classes.row} aria-label={token.name}>
      <div className={classes.face}>
        <span className={classes.avatar} aria-hidden>
          <Icon name="key" />
        </span>
      </div>
      <div className={classes.name}>
        <Text fw={550} truncate>
          {token.name}
        </Text>
        <Text size="sm" c="dimmed">
          {used}
          {" · "}
          {expires}
        </Text>
      </div>
      <div className={classes.facts}>
        {expired && (
          <Badge variant="light" color="red">
            {t("tokens.isExpired")}
          </Badge>
        )}
        <Badge variant="light" color={token.scope === "admin" ? "moss" : token.scope === "write" ? "blue" : "gray"}>
          {t(`tokens.scope.${token.scope}`)}
        </Badge>
        <Button
          size="compact-sm"
          variant="subtle"
          color="red"
          aria-label={t("tokens.revokeNamed", { name: token.name })}
          onClick={() => setRevoking(true)}
        >
          {t("tokens.revoke")}
        </Button>
      </div>
      {revoking && <RevokeDialog token={token} onClose={() => setRevoking(false)} />}
    </li>
  );
}

function RevokeDialog({ token, onClose }: { token: Token; onClose: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => answered(api.DELETE("/api/admin/tokens/{id}", { params: { path: { id: token.id } } })),
    onSuccess: onClose,
    onSettled: () => queries.invalidateQueries({ queryKey: key }),
  });
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("tokens.revokeNamed", { name: token.name })}
      centered
      closeButtonProps={{ "aria-label": t("action.close") }}
    >
      <Stack>
        <Text>{t("tokens.revokeLead")}</Text>
        {revoke.error && <Refusal error={revoke.error} />}
        <Group>
          <Button color="red" loading={revoke.isPending} onClick={() => revoke.mutate()}>
            {t("tokens.revoke")}
          </Button>
          <Button variant="default" onClick={onClose}>
            {t("tokens.keep")}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function CreateDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const [secret, setSecret] = useState<string>();
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("tokens.create")}
      centered
      closeOnClickOutside={secret === undefined}
      closeButtonProps={{ "aria-label": t("action.close") }}
    >
      {secret === undefined ? <CreateForm onCreated={setSecret} /> : <Secret secret={secret} onDone={onClose} />}
    </Modal>
  );
}

/** How long a token may be good, in days; 0 is without an end. */
const lives = ["30", "90", "365", "0"] as const;

function CreateForm({ onCreated }: { onCreated: (secret: string) => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [scope, setScope] = useState<Schemas["Scope"]>("read");
  const [life, setLife] = useState<(typeof lives)[number]>("90");
  const create = useMutation({
    mutationFn: () => {
      const expiresAt = new Date(Date.now() + Number(life) * 86_400_000).toISOString();
      return answered(api.POST("/api/admin/tokens", { body: { name: name.trim(), scope, ...(life !== "0" && { expiresAt }) } }));
    },
    onSuccess: ({ token }) => onCreated(token),
    onSettled: () => queries.invalidateQueries({ queryKey: key }),
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate();
      }}
    >
      <Stack>
        <TextInput
          label={t("tokens.name")}
          description={t("tokens.nameRule")}
          required
          maxLength={64}
          data-autofocus
          autoComplete="off"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Select
          label={t("tokens.scopeLabel")}
          description={t(`tokens.scopeMay.${scope}`)}
          data={(["read", "write", "admin"] as const).map((value) => ({ value, label: t(`tokens.scope.${value}`) }))}
          value={scope}
          onChange={(value) => setScope(value ?? scope)}
          allowDeselect={false}
        />
        <Select
          label={t("tokens.life")}
          data={lives.map((value) => ({ value, label: value === "0" ? t("tokens.noEnd") : t("tokens.days", { count: Number(value) }) }))}
          value={life}
          onChange={(value) => setLife(value ?? life)}
          allowDeselect={false}
        />
        {create.error && <Refusal error={create.error} />}
        <Button type="submit" loading={create.isPending}>
          {t("tokens.create")}
        </Button>
      </Stack>
    </form>
  );
}

/** The secret of a new token, which nobody sees again. */
function Secret({ secret, onDone }: { secret: string; onDone: () => void }) {
  const { t } = useTranslation();
  return (
    <Stack>
      <Alert color="yellow" title={t("tokens.once")}>
        {t("tokens.onceLead")}
      </Alert>
      <div>
        <TextInput
          label={t("tokens.secret")}
          readOnly
          value={secret}
          classNames={{ input: classes.secret ?? "" }}
          onFocus={(event) => event.currentTarget.select()}
        />
        <CopyButton text={secret} label={t("tokens.copy")} />
      </div>
      <Button onClick={onDone}>{t("tokens.done")}</Button>
    </Stack>
  );
}
