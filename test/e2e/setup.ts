import { demoFolder, makeDemo } from "./servers";

/** Makes the demo library once, for all servers of all tests. */
export default async function setup(): Promise<() => void> {
  const demo = await makeDemo();
  process.env[demoFolder] = demo.folder; // workers have it too
  return demo.remove;
}
