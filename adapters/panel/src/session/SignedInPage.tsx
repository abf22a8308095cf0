import { useEffect } from "react";
import { useTranslation } from "react-i18next";

import { Page } from "../app/Page";
import { tellOtherTabs } from "./tabs";

/** Where the identity provider sends a tab back to that was opened beside the work: it has done its part. */
export function SignedInPage() {
  const { t } = useTranslation();
  useEffect(() => {
    tellOtherTabs("signed in");
    window.close();
  }, []);
  return <Page title={t("session.signedIn")} lead={t("session.closeTab")} />;
}
