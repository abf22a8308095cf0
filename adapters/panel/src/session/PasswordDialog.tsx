import { Alert, Button, Modal, PasswordInput, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { answered, api, ApiError } from "../api/client";
import { Refusal } from "../app/Refusal";

/** Bounds of a password, as the server has them. */
export const leastPassword = 10;
export const longestPassword = 256;

/** Lets whoever is signed in choose another password. */
export function PasswordDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal opened onClose={onClose} title={t("session.changePassword")} centered closeButtonProps={{ "aria-label": t("action.close") }}>
      <PasswordForm onDone={onClose} />
    </Modal>
  );
}

function PasswordForm({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation();
  const [present, setPresent] = useState("");
  const [next, setNext] = useState("");
  const change = useMutation({
    mutationFn: () => answered(api.POST("/api/auth/password", { body: { currentPassword: present, newPassword: next } })),
    onSuccess: () => {
      notifications.show({ title: t("session.changed"), message: t("session.othersEnded") });
      onDone();
    },
  });
  const wrong = change.error instanceof ApiError && change.error.status === 403;
  const toggle = { "aria-label": t("session.show") };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        change.mutate();
      }}
    >
      <Stack>
        <PasswordInput
          label={t("session.current")}
          autoComplete="current-password"
          required
          data-autofocus
          value={present}
          onChange={(event) => setPresent(event.currentTarget.value)}
          error={wrong && t("session.wrongCurrent")}
          visibilityToggleButtonProps={toggle}
        />
        <PasswordInput
          label={t("session.next")}
          description={t("session.rule", { count: leastPassword })}
          autoComplete="new-password"
          required
          minLength={leastPassword}
          maxLength={longestPassword}
          value={next}
          onChange={(event) => setNext(event.currentTarget.value)}
          visibilityToggleButtonProps={toggle}
        />
        <Text size="sm" c="dimmed">
          {t("session.othersEnd")}
        </Text>
        {change.error && !wrong && <Refusal error={change.error} />}
        {wrong && (
          <Alert color="red" role="alert">
            {t("session.wrongCurrent")}
          </Alert>
        )}
        <Button type="submit" loading={change.isPending}>
          {t("session.changePassword")}
        </Button>
      </Stack>
    </form>
  );
}
