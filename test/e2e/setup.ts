import { demoFolder, makeDemo } from "./servers";

/** Makes the demo library once, for all servers of all tests. */
export default function setup(): () => void {
  const demo = makeDemo();
  process.env[demoFolder] = demo.folder; // workers have it too
  return demo.remove;
}
