// Watches a page of the inventory from before its first script: when its map is drawn, and how its frames follow each other.
(() => {
  // The colour of the states, light; see web/src/pages/inventory/map/palette.ts.
  const HOME = [251, 251, 248];
  const EACH = 53; // pixels
  const watch = { dams: 0, map: 0, list: 0, frames: [], longTasks: [] };
  window.watch = watch;

  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) watch.longTasks.push({ startTime, duration });
  }).observe({ type: "longtask", buffered: true });

  // Which part of the middle of the map has the colour of states, and which the blue of groups.
  const drawn = () => {
    const [canvas] = document.querySelectorAll(".ol-layer canvas");
    const [width, height] = [canvas?.width ?? 0, canvas?.height ?? 0];
    const shown = { states: 0, groups: 0 };
    if (!width || !height) return shown;
    const { data } = canvas.getContext("2d").getImageData(width / 4, height / 4, width / 2, height / 2);
    for (let at = 0; at < data.length; at += 4 * EACH) {
      const part = EACH / (data.length / 4);
      if (HOME.every((value, index) => data[at + index] === value)) shown.states += part;
      if (data[at] < 110 && data[at + 2] - data[at] > 40) shown.groups += part;
    }
    return shown;
  };

  let last = performance.now();
  const frame = (now) => {
    watch.frames.push(now - last);
    last = now;
    if (!watch.map && document.body) {
      const { states, groups } = drawn();
      if (groups > 0.03) watch.dams ||= performance.now();
      if (groups > 0.03 && states > 0.2) watch.map = performance.now();
    }
    if (!watch.list && document.querySelector("tbody tr")) watch.list = performance.now();
    if (watch.map && watch.list) document.documentElement.dataset.drawn = "";
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})();
