import { Drawer } from "@mantine/core";
import { useTranslation } from "react-i18next";

import { Pages } from "./Pages";

/** The navigation on a phone. */
export function PagesDrawer({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Drawer opened onClose={onClose} title={t("title")} size={280} hiddenFrom="md" closeButtonProps={{ "aria-label": t("action.close") }}>
      <Pages />
    </Drawer>
  );
}
