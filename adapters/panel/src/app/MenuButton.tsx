import { cloneElement, type MouseEventHandler, type ReactElement, type ReactNode, Suspense, useState } from "react";

interface ButtonProps {
  onClick?: MouseEventHandler;
  "aria-haspopup"?: "menu" | "dialog";
  "aria-expanded"?: boolean;
}

interface Props {
  /** What is open when it comes, around the button that it is given. */
  menu: (button: ReactElement) => ReactNode;
  popup?: "menu" | "dialog";
  children: ReactElement<ButtonProps>;
}

/** A button that opens something beside it, which is fetched and put together when it is first asked for. */
export function MenuButton({ menu, popup = "menu", children: button }: Props) {
  const [asked, setAsked] = useState(false);
  const closed = cloneElement(button, { "aria-haspopup": popup, "aria-expanded": false, onClick: () => setAsked(true) });
  return asked ? <Suspense fallback={closed}>{menu(button)}</Suspense> : closed;
}
