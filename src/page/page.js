"use strict";
// Refreshes a page that is whole without it, keeps the place of the reader, and draws the last minutes of the totals.
(() => {
  const MINUTES = 5;
  const SVG = "http://www.w3.org/2000/svg";
  const find = (id) => document.getElementById(id);
  // What a tab keeps: settings, and the totals of the last minutes of one filter.
  const kept = (name, usual) => JSON.parse(sessionStorage.getItem(name)) ?? usual;
  const keep = (name, value) => sessionStorage.setItem(name, JSON.stringify(value));
  let paused = kept("paused", false);
  let every = kept("every", 3);
  let timer = 0;

  const narrow = () => {
    const text = find("narrow").value.toLowerCase();
    for (const row of document.querySelectorAll("#flows tbody tr, #groups tbody tr, #listeners tbody tr"))
      row.hidden = !row.textContent.toLowerCase().includes(text);
  };

  const totals = () => [...document.querySelectorAll(".totals div")];

  const remember = () => {
    const filter = find("filter").value;
    const before = kept("history", {});
    const since = Date.now() - MINUTES * 60_000;
    const samples = before.filter === filter ? before.samples.filter(([at]) => at >= since) : [];
    const values = totals().map((total) => Number.parseFloat(total.querySelector("dd").dataset.value));
    if (values.length > 0) samples.push([Date.now(), ...values]);
    keep("history", { filter, samples });
    return samples;
  };

  const draw = (samples) => {
    const [width, height] = [100, 20];
    const first = samples[0]?.[0];
    totals().forEach((total, number) => {
      const points = samples.map((sample) => [sample[0] - first, sample[number + 1]]).filter(([, value]) => value !== null);
      if (points.length < 2) return;
      const [last, most] = [points.at(-1)[0], Math.max(...points.map(([, value]) => value)) || 1];
      const line = document.createElementNS(SVG, "polyline");
      line.setAttribute("points", points.map(([at, value]) => `${((at / last) * width).toFixed(1)},${(height - 1 - (value / most) * (height - 2)).toFixed(1)}`).join(" "));
      const chart = document.createElementNS(SVG, "svg");
      chart.setAttribute("viewBox", `0 0 ${width} ${height}`);
      chart.setAttribute("preserveAspectRatio", "none");
      chart.setAttribute("aria-hidden", "true");
      chart.append(line);
      total.append(chart);
    });
  };

  // Who is in the page, with the keyboard or far to its right, stays there.
  const place = () => {
    const focused = document.activeElement?.closest("main") ? document.activeElement : null;
    const [id, address, text] = [focused?.id, focused?.getAttribute("href"), focused?.textContent];
    const [x, y] = [scrollX, scrollY];
    const open = [...document.querySelectorAll("details[open]")].map((box) => box.id);
    const scrolled = [...document.querySelectorAll(".scroll")].map((box) => [box.id, box.scrollLeft]);
    return () => {
      for (const [box, left] of scrolled) if (left && find(box)) find(box).scrollLeft = left;
      for (const box of open) if (find(box)) find(box).open = true;
      scrollTo(x, y);
      const same = (link) => link.getAttribute("href") === address && link.textContent === text;
      const again = id ? find(id) : address && [...document.querySelectorAll("main a")].find(same);
      again?.focus({ preventScroll: true });
    };
  };

  const load = async (isRefresh) => {
    const status = find("status");
    try {
      // Without the password that the address may hold, which fetch refuses.
      const asked = location.pathname + location.search;
      const answer = await fetch(location.origin + asked, { cache: "no-store" });
      if (!answer.ok) throw new Error(`answered with ${answer.status}`);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      // Meanwhile the reader has paused, or is elsewhere.
      if ((isRefresh && paused) || asked !== location.pathname + location.search) return;
      const restore = place();
      document.querySelector("main").replaceWith(fresh.querySelector("main"));
      if (!isRefresh) document.querySelector("form").replaceWith(fresh.querySelector("form"));
      narrow();
      draw(remember());
      restore();
      status.textContent = "";
    } catch (error) {
      status.textContent = `Not refreshed: ${error.message}`;
    }
  };

  // One after the other, however long an answer takes.
  const refresh = async () => {
    if (!paused && !document.hidden) await load(true);
    timer = setTimeout(refresh, every * 1000);
  };

  const showSettings = () => {
    find("pause").textContent = paused ? "Resume" : "Pause";
    find("every").value = String(every);
  };

  find("tools").hidden = false;
  find("narrow").addEventListener("input", narrow);
  find("pause").addEventListener("click", () => {
    paused = !paused;
    keep("paused", paused);
    showSettings();
  });
  find("every").addEventListener("change", (event) => {
    every = Number(event.target.value);
    keep("every", every);
    clearTimeout(timer);
    timer = setTimeout(refresh, every * 1000);
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("main a");
    if (!link || link.pathname !== location.pathname || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    history.pushState(null, "", link.getAttribute("href"));
    load(false);
  });
  addEventListener("popstate", () => load(false));
  showSettings();
  draw(remember());
  timer = setTimeout(refresh, every * 1000);
})();
