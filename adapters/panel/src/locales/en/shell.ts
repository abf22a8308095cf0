export const shell = {
  home: "Gatefold, to the library",
  menu: "Menu",
  pages: "Pages",
  crumbs: "Where you are",
  account: "Account of {{name}}",
  loading: "Loading…",
  copied: "Copied",
  group: { library: "Library", work: "Work", service: "Service" },
  page: {
    artists: "Artists",
    albums: "Albums",
    deleted: "Deleted",
    fill: "Fill gaps",
    bulk: "Bulk changes",
    cache: "Cache",
    activity: "Activity",
    health: "Health",
    settings: "Settings",
    users: "Users and tokens",
  },
};

/** What the holders of each scope are called. */
export const role = { read: "viewer", write: "editor", admin: "administrator" };
