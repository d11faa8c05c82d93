// Watches a page of the inventory from before its first script: when its map is drawn, and how its frames follow each other.
(() => {
  // The colour of the states, light; see web/src/pages/inventory/map/palette.ts.
  const HOME = "251,251,248";
  const watch = { dams: 0, map: 0, frames: [], longTasks: [] };
  window.watch = watch;

  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) watch.longTasks.push({ startTime, duration });
  }).observe({ type: "longtask", buffered: true });

  const hasDams = () =>
    [...document.querySelectorAll("[aria-live]")].some((each) => /^The map shows [1-9]/.test(each.textContent));

  // Of 64 points in the middle half of the map, those that show a state: the rest are borders, names and groups.
  const hasStates = () => {
    const [canvas] = document.querySelectorAll(".ol-layer canvas");
    const context = canvas?.getContext("2d");
    if (!context) return false;
    let states = 0;
    for (let point = 0; point < 64; point++) {
      const x = canvas.width * (0.25 + (point % 8) / 14);
      const y = canvas.height * (0.35 + Math.floor(point / 8) / 28);
      const [red, green, blue] = context.getImageData(x, y, 1, 1).data;
      if (`${red},${green},${blue}` === HOME) states++;
    }
    return states > 20;
  };

  let framesWithDams = 0;
  let last = performance.now();
  const frame = (now) => {
    watch.frames.push(now - last);
    last = now;
    if (!watch.map && document.body) {
      if (hasDams()) framesWithDams++;
      if (framesWithDams === 2) watch.dams = performance.now();
      if (framesWithDams >= 2 && hasStates()) {
        watch.map = performance.now();
        document.documentElement.dataset.drawn = "";
      }
    }
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})();
