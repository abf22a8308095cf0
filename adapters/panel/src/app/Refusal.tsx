import { Alert, Button, Group, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { ApiError } from "../api/client";

/** Says what went wrong, in the server's words, and how an operator finds it in the log. */
export function Refusal({ error, retry }: { error: Error; retry?: () => void }) {
  const { t } = useTranslation();
  const unreachable = error instanceof ApiError && error.status === 0;
  return (
    <Alert color="red" role="alert" title={t("error.title")}>
      <Text size="sm">{unreachable ? t("error.unreachable") : error.message}</Text>
      {error instanceof ApiError && error.requestId !== undefined && (
        <Text size="xs" c="dimmed">
          {t("error.request", { id: error.requestId })}
        </Text>
      )}
      {retry && (
        <Group mt="xs">
          <Button size="xs" variant="light" color="red" onClick={retry}>
            {t("action.retry")}
          </Button>
        </Group>
      )}
    </Alert>
  );
}
