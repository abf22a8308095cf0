import { Button, Group, Modal, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

/** Asks before something is done that all instances feel. */
export function Confirm(props: { title: string; consequence: string; action: string; colour: string; onClose: () => void; onConfirm: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal opened onClose={props.onClose} title={props.title} closeButtonProps={{ "aria-label": t("action.close") }}>
      <Text size="sm">{props.consequence}</Text>
      <Group mt="md" justify="end">
        <Button variant="default" onClick={props.onClose} data-autofocus>
          {t("cache.manage.cancel")}
        </Button>
        <Button color={props.colour} onClick={props.onConfirm}>
          {props.action}
        </Button>
      </Group>
    </Modal>
  );
}
