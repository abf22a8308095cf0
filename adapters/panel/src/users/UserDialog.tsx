import { Alert, Button, Modal, Select, Stack, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { answered, api, type Schemas } from "../api/client";
import { Refusal } from "../app/Refusal";
import { NewPasswordField } from "./NewPasswordField";
import { newId } from "./random";
import type { User } from "./Users";

const roles: Schemas["Role"][] = ["user", "editor", "admin"];

/** Creates a user, or changes one. */
export function UserDialog({ user, onClose }: { user?: User; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal
      opened
      onClose={onClose}
      title={user ? t("users.editNamed", { name: user.username }) : t("users.create")}
      centered
      closeButtonProps={{ "aria-label": t("action.close") }}
    >
      <UserForm {...(user && { user })} onDone={onClose} />
    </Modal>
  );
}

function UserForm({ user, onDone }: { user?: User; onDone: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [id] = useState(() => user?.id ?? newId()); // the same at a second attempt
  const [username, setUsername] = useState(user?.username ?? "");
  const [displayName, setDisplayName] = useState(user?.displayName ?? "");
  const [role, setRole] = useState<Schemas["Role"]>(user?.role ?? "user");
  const [password, setPassword] = useState("");
  const save = useMutation({
    mutationFn: async () => {
      const params = { path: { id } };
      const fields = { username: username.trim(), role, ...(displayName.trim() !== "" && { displayName: displayName.trim() }) };
      await answered(api.PUT("/api/users/{id}", { params, body: fields }));
      if (password !== "") {
        await answered(api.PUT("/api/users/{id}/password", { params, body: { password } }));
      }
    },
    onSuccess: () => {
      notifications.show({ message: t(user ? "users.saved" : "users.created", { name: username.trim() }) });
      onDone();
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["users"] }),
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Stack>
        <TextInput
          label={t("users.username")}
          description={t("users.usernameRule")}
          required
          data-autofocus
          autoComplete="off"
          value={username}
          onChange={(event) => setUsername(event.currentTarget.value)}
        />
        <TextInput
          label={t("users.displayName")}
          autoComplete="off"
          value={displayName}
          onChange={(event) => setDisplayName(event.currentTarget.value)}
        />
        <Select
          label={t("users.roleLabel")}
          description={t(`users.roleMay.${role}`)}
          data={roles.map((value) => ({ value, label: t(`users.role.${value}`) }))}
          value={role}
          onChange={(value) => setRole(value ?? role)}
          allowDeselect={false}
        />
        {!user && <NewPasswordField value={password} onChange={setPassword} optional />}
        {!user && password === "" && <Alert color="gray">{t("users.withoutPassword")}</Alert>}
        {save.error && <Refusal error={save.error} />}
        <Button type="submit" loading={save.isPending}>
          {t(user ? "settings.save" : "users.create")}
        </Button>
      </Stack>
    </form>
  );
}
