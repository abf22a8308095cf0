/** What every page may say. What only some of them say stands in the other files. */

export { health } from "./health";
export { session } from "./session";
export { role, shell } from "./shell";

export const title = "Gatefold";

export const skip = "Skip to the content";

export const missing = {
  label: "Show",
  all: "Everything",
  profile: "Without a profile picture",
  background: "Without a background",
  banner: "Without a banner",
  logo: "Without a logo",
  cover: "Without a cover",
};

export const slot = { profile: "Profile", background: "Background", banner: "Banner", logo: "Logo", cover: "Cover", avatar: "Avatar" };

export const source = { custom: "Uploaded", local: "From the music folder", external: "From a provider" };

export const image = {
  none: "No image",
  by: "by {{who}}, {{when}}",
  size: "{{width}} × {{height}}, {{bytes}}",
  locked: "Locked",
  current: "In force",
  alt: "{{slot}} of {{name}}",
};

export const action = {
  find: "Find images",
  upload: "Upload",
  restore: "Use this one again",
  remove: "Remove",
  lock: "Lock",
  unlock: "Unlock",
  apply: "Apply",
  again: "Search again",
  undo: "Undo",
  close: "Close",
  retry: "Try again",
  back: "Back",
  signIn: "Sign in",
  signOut: "Sign out",
  language: "Language",
  light: "Light",
  dark: "Dark",
  theme: "Light or dark",
};

export const signIn = {
  title: "Sign in to Gatefold",
  username: "User name",
  password: "Password",
  ended: "Your session has ended. Sign in to go on where you were.",
  wrong: "The user name or the password is not right.",
  external: "Sign in with your organisation",
};

export const error = {
  title: "That did not work",
  unreachable: "The server cannot be reached. What you see may be old.",
  notFound: "There is nothing at this address.",
  request: "Request {{id}}",
  reload: "The panel was updated. Reload the page.",
};

export const live = {
  lost: "Live changes are interrupted. Connecting again…",
};
