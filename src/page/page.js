"use strict";
// Sorting, filtering and refreshing of a page that is whole without it.
(() => {
  const every = 3000;
  const orders = {};
  let paused = false;

  const value = (cell) => {
    const number = Number.parseFloat(cell.dataset.value ?? "");
    return Number.isNaN(number) ? cell.textContent : number;
  };

  const sort = (table) => {
    const order = orders[table.id];
    if (!order) return;
    const { column, rising } = order;
    const rows = [...table.tBodies[0].rows];
    rows.sort((one, other) => {
      const [a, b] = [value(one.cells[column]), value(other.cells[column])];
      const result = typeof a === "number" && typeof b === "number" ? a - b
        : typeof a === typeof b ? String(a).localeCompare(String(b)) : typeof a === "number" ? 1 : -1;
      return rising ? result : -result;
    });
    table.tBodies[0].append(...rows);
    [...table.tHead.rows[0].cells].forEach((head, number) => {
      if (number === column) head.setAttribute("aria-sort", rising ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
  };

  const narrow = () => {
    const text = document.getElementById("narrow").value.toLowerCase();
    for (const row of document.querySelectorAll("table.sortable tbody tr"))
      row.hidden = !row.textContent.toLowerCase().includes(text);
  };

  const prepare = () => {
    for (const table of document.querySelectorAll("table.sortable")) {
      [...table.tHead.rows[0].cells].forEach((head, column) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = head.textContent;
        button.addEventListener("click", () => {
          const before = orders[table.id];
          const rising = before?.column === column ? !before.rising : !head.classList.contains("number");
          orders[table.id] = { column, rising };
          sort(table);
        });
        head.replaceChildren(button);
      });
      sort(table);
    }
    narrow();
  };

  const show = async () => {
    if (paused || document.hidden) return;
    const status = document.getElementById("status");
    try {
      // Without the password that the address may hold, which fetch refuses.
      const answer = await fetch(location.origin + location.pathname + location.search, { cache: "no-store" });
      if (!answer.ok) throw new Error(`answered with ${answer.status}`);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
      if (paused) return;
      // Whoever is in a table, with the keyboard or far to its right, stays there.
      const focused = document.activeElement;
      const table = (focused?.closest("table") ?? focused?.querySelector(":scope > table"))?.id;
      const column = focused?.closest("th")?.cellIndex;
      const places = [...document.querySelectorAll(".scroll")].map((place) => place.scrollLeft);
      document.querySelector("main").replaceWith(fresh);
      prepare();
      document.querySelectorAll(".scroll").forEach((place, number) => { place.scrollLeft = places[number] ?? 0; });
      const place = table && document.getElementById(table);
      const head = column === undefined ? null : place?.tHead?.rows[0].cells[column]?.querySelector("button");
      (head ?? place?.closest(".scroll"))?.focus({ preventScroll: true });
      status.textContent = "";
    } catch (error) {
      status.textContent = `Not refreshed: ${error.message}`;
    }
  };

  // One after the other, however long an answer takes.
  const refresh = async () => {
    await show();
    setTimeout(refresh, every);
  };

  document.getElementById("tools").hidden = false;
  document.getElementById("narrow").addEventListener("input", narrow);
  document.getElementById("pause").addEventListener("click", (event) => {
    paused = !paused;
    event.currentTarget.textContent = paused ? "Resume" : "Pause";
  });
  prepare();
  setTimeout(refresh, every);
})();
