import { Notifications } from "@mantine/notifications";

/** Where notifications appear. */
export function NotificationArea() {
  return <Notifications position="bottom-right" />;
}
