import { Button, Modal, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { answered, api } from "../api/client";
import { Refusal } from "../app/Refusal";
import { NewPasswordField } from "./NewPasswordField";
import type { User } from "./Users";

/** Gives a user a password, or another one. */
export function UserPasswordDialog({ user, onClose }: { user: User; onClose: () => void }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [password, setPassword] = useState("");
  const save = useMutation({
    mutationFn: () => answered(api.PUT("/api/users/{id}/password", { params: { path: { id: user.id } }, body: { password } })),
    onSuccess: () => {
      notifications.show({ message: t("users.passwordSet", { name: user.username }) });
      onClose();
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["users"] }),
  });
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("users.passwordOf", { name: user.username })}
      centered
      closeButtonProps={{ "aria-label": t("action.close") }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Stack>
          <Text size="sm">{t("users.passwordLead")}</Text>
          <NewPasswordField value={password} onChange={setPassword} />
          {save.error && <Refusal error={save.error} />}
          <Button type="submit" loading={save.isPending}>
            {t("users.setPassword")}
          </Button>
        </Stack>
      </form>
    </Modal>
  );
}
