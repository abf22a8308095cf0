import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";

import { answered, api, type Schemas } from "../api/client";
import { moved } from "./order";

type Settings = Schemas["Settings"];

/** Moves providers up and down. Who has moved one by keyboard goes on with it, wherever it is now. */
export function useOrder(settings: Settings | undefined) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const pressed = useRef<HTMLElement>(undefined);
  const [said, setSaid] = useState("");
  const order = settings?.order;
  const change = useMutation({
    // Anybody else's change since then is not overwritten.
    mutationFn: (ids: string[] | undefined) => {
      const params = { header: { "If-Match": `"${order?.revision ?? 0}"` } };
      return answered(
        ids ? api.PUT("/api/admin/settings/order", { params, body: { providers: ids } }) : api.DELETE("/api/admin/settings/order", { params }),
      );
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["settings"] }),
  });
  useEffect(() => {
    pressed.current?.focus({ preventScroll: true });
    pressed.current?.scrollIntoView({ block: "nearest" });
    pressed.current = undefined;
  }, [order?.providers]);
  const move = (id: string, name: string, by: -1 | 1, button: HTMLElement) => {
    const next = moved(order?.providers ?? [], id, by);
    pressed.current = button;
    change.mutate(next, {
      onSuccess: () => setSaid(t("settings.order.moved", { name, place: next.indexOf(id) + 1, count: next.length })),
    });
  };
  const reset = () => change.mutate(undefined, { onSuccess: () => setSaid(t("settings.order.resetDone")) });
  return { move, reset, said, pending: change.isPending, error: change.error };
}
