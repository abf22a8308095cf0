import { Alert, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { ApiError } from "../api/client";
import { Refusal } from "../app/Refusal";
import { ruleOf } from "./rules";

/** Says which rule refused an image, what to do about it, and what the server said of this one. */
export function Refused({ error }: { error: Error }) {
  const { t } = useTranslation();
  const rule = error instanceof ApiError ? ruleOf(error) : undefined;
  if (rule === undefined) {
    return <Refusal error={error} />;
  }
  const requestId = error instanceof ApiError ? error.requestId : undefined;
  return (
    <Alert color="red" role="alert" title={t(`subject.refused.${rule}.title`)}>
      <Text size="sm">{t(`subject.refused.${rule}.todo`)}</Text>
      {error.message !== "" && (
        <Text size="xs" c="dimmed" mt={4}>
          {t("subject.refused.said", { message: error.message })}
          {requestId !== undefined && ` · ${t("error.request", { id: requestId })}`}
        </Text>
      )}
    </Alert>
  );
}
