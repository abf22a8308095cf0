import type { session as en } from "../en/session";

export const session: typeof en = {
  elsewhere: "Ha cerrado la sesión en otra pestaña. Inicie sesión para seguir donde estaba.",
  other: "Lo que estaba haciendo solo se termina como {{who}}. Si entra otra persona, queda sin hacer.",
  or: "o",
  show: "Mostrar lo escrito",
  needed: "Inicie sesión para ver esta página.",
  mayNot: "Ha iniciado sesión como {{role}}. Esta página es para quien sea {{needed}}; un administrador puede cambiar su rol.",
  signedIn: "Ha iniciado sesión",
  closeTab: "Puede cerrar esta pestaña: la otra sigue donde estaba.",
  changePassword: "Cambiar la contraseña",
  current: "Contraseña actual",
  next: "Contraseña nueva",
  rule_one: "Al menos {{count}} carácter, de cualquier tipo",
  rule_other: "Al menos {{count}} caracteres, de cualquier tipo",
  wrongCurrent: "Esta no es su contraseña actual.",
  changed: "Tiene una contraseña nueva",
  othersEnd: "Aquí seguirá con la sesión iniciada. En los demás sitios tendrá que volver a entrar.",
  othersEnded: "Sus demás sesiones han terminado.",
};
