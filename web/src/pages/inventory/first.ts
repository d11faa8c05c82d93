import { keptScheme } from "./scheme";

/** How long the page waits for the dams, which it would show itself. */
const PATIENCE_MS = 1_000;

async function drawMap(): Promise<void> {
  const { drawFirst } = await import("./map/firstMap");
  await Promise.race([drawFirst(), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
}

// What Mantine's style sheet goes by, from the first paint on; Mantine itself comes with React.
document.documentElement.dataset["mantineColorScheme"] = keptScheme();

// The map of the home page comes first, as all else takes several times as long.
const map = location.pathname === "/" ? drawMap() : Promise.resolve();
void map.catch(() => undefined).then(() => import("./main"));
