import type * as en from "../en/core";

export { health } from "./health";
export { session } from "./session";
export { role, shell } from "./shell";

export const title = "Gatefold";

export const skip = "Ir al contenido";

export const missing: typeof en.missing = {
  label: "Mostrar",
  all: "Todo",
  profile: "Sin foto de perfil",
  background: "Sin fondo",
  banner: "Sin cabecera",
  logo: "Sin logotipo",
  cover: "Sin portada",
};

export const slot: typeof en.slot = {
  profile: "Perfil",
  background: "Fondo",
  banner: "Cabecera",
  logo: "Logotipo",
  cover: "Portada",
  avatar: "Avatar",
};

export const source: typeof en.source = { custom: "Subida", local: "De la carpeta de música", external: "De un proveedor" };

export const image: typeof en.image = {
  none: "Sin imagen",
  by: "por {{who}}, {{when}}",
  size: "{{width}} × {{height}}, {{bytes}}",
  locked: "Bloqueada",
  current: "En vigor",
  alt: "{{slot}} de {{name}}",
};

export const action: typeof en.action = {
  find: "Buscar imágenes",
  upload: "Subir",
  restore: "Volver a usar esta",
  remove: "Quitar",
  lock: "Bloquear",
  unlock: "Desbloquear",
  apply: "Aplicar",
  again: "Buscar de nuevo",
  undo: "Deshacer",
  close: "Cerrar",
  retry: "Reintentar",
  back: "Volver",
  signIn: "Iniciar sesión",
  signOut: "Cerrar sesión",
  language: "Idioma",
  light: "Claro",
  dark: "Oscuro",
  theme: "Claro u oscuro",
};

export const signIn: typeof en.signIn = {
  title: "Iniciar sesión en Gatefold",
  username: "Usuario",
  password: "Contraseña",
  ended: "Su sesión ha terminado. Inicie sesión para seguir donde estaba.",
  wrong: "El usuario o la contraseña no son correctos.",
  external: "Entrar con su organización",
};

export const error: typeof en.error = {
  title: "No ha funcionado",
  unreachable: "No se puede contactar con el servidor. Lo que ve puede ser antiguo.",
  notFound: "No hay nada en esta dirección.",
  request: "Petición {{id}}",
  reload: "El panel se ha actualizado. Recargue la página.",
};

export const live: typeof en.live = {
  lost: "Los cambios en vivo se han interrumpido. Conectando de nuevo…",
};
