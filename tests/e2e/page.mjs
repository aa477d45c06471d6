// Asks Chromium what page.sh wants to know of the page; it is started by that.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const packages = createRequire(`${process.env.PAGE_PACKAGES}/`);
const { chromium } = packages("playwright-core");
const axe = packages("axe-core").source;
const folder = process.env.PAGE_SCREENSHOTS;

const browser = await chromium.launch({
  executablePath: process.env.PAGE_BROWSER,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP evil.test 127.0.0.1"],
});

/** A page of its own, of which everything that may not happen is written down. */
const visit = async (base, options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 1000 }, ...options });
  const page = await context.newPage();
  const wrong = [];
  page.on("console", (message) => wrong.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => wrong.push(`error: ${error}`));
  page.on("dialog", (dialog) => { wrong.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== base) wrong.push(`request: ${request.url()}`);
  });
  await page.addInitScript(() => {
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
  });
  const leave = async () => {
    if (options.javaScriptEnabled !== false) assert.deepEqual(await page.evaluate(() => window.violations), []);
    assert.deepEqual(wrong, []);
    await context.close();
  };
  return { page, wrong, leave };
};

const check = async (name, test) => {
  try {
    await test();
    console.log(`  ${name}`);
  } catch (error) {
    console.error(`FAILED: ${name}\n${error.stack}`);
    await browser.close();
    process.exit(1);
  }
};

/** The texts of a column of a table, from the top. */
const column = (page, table, title) => page.$eval(`#${table}`, (element, wanted) => {
  const heads = [...element.tHead.rows[0].cells].map((cell) => cell.textContent);
  return [...element.tBodies[0].rows].filter((row) => !row.hidden)
    .map((row) => row.cells[heads.indexOf(wanted)].textContent);
}, title);

/** Waits for the next refresh; false if there is none within this many milliseconds. */
const refreshed = async (page, most = 8000) => {
  await page.evaluate(() => { document.querySelector("main").isOld = true; });
  return page.waitForFunction(() => !document.querySelector("main").isOld, null, { timeout: most })
    .then(() => true, () => false);
};

const fits = (page) => page.evaluate(() => document.scrollingElement.scrollWidth <= innerWidth);

const UNITS = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, ms: 1, "%": 1 };

/** The figures of a column of the connections, from the top; those that are absent are left out. */
const numbers = async (page, title) => (await column(page, "flows", title)).filter((text) => text !== "-").map((text) => {
  const [number, unit] = text.replace("/s", "").split(" ");
  return Number(number) * UNITS[unit];
});

const falls = (values) => values.every((value, at) => at === 0 || values[at - 1] >= value);

const TAG = "<img src=x>";
const QUOTE = "\"><b id=ran>";

const looks = async (base, hasUnit) => {
  await check("without JavaScript: everything essential is there", async () => {
    const { page, leave } = await visit(base, { javaScriptEnabled: false });
    await page.goto(base);
    for (const state of ["established", "close_wait", "listen", "time_wait"])
      assert.match(await page.textContent("section[aria-labelledby=h-states]"), new RegExp(`${state}[0-9]+`));
    const most = async (title) => Math.max(...await numbers(page, title));
    for (const title of ["Sent/s", "Received/s", "RTT", "Min RTT", "Send-Q", "Recv-Q"])
      assert.ok(await most(title) > 0, `${title} is nowhere above 0`);
    // Not in each second is a packet lost, and all who ask within a second are shown the same.
    for (let round = 0; round < 20 && !(await most("Retrans.") > 0); round += 1) {
      await page.waitForTimeout(1000);
      await page.reload();
    }
    assert.ok(await most("Retrans.") > 0, "no retransmissions");
    const received = await numbers(page, "Received/s");
    const rates = (await numbers(page, "Sent/s")).map((sent, row) => sent + received[row]);
    assert.ok(rates[0] > 100_000 && rates[0] > rates.at(-1), `the busiest flow moves ${rates[0]} B/s`);
    assert.ok((await column(page, "flows", "Process")).some((owner) => /^python3\(\d+\)$/.test(owner)));
    // Both ends of a connection within the host are one row.
    const [locals, remotes] = [await column(page, "flows", "Local"), await column(page, "flows", "Remote")];
    const ends = locals.map((local, row) => `${local} ${remotes[row]}`);
    assert.ok(remotes.every((remote, row) => !ends.includes(`${remote} ${locals[row]}`)), "a connection stands twice");
    assert.ok((await column(page, "flows", "Service")).includes("local 7001"));
    assert.match(await page.getAttribute("section[aria-labelledby=h-rtt] svg", "aria-label"), /p50 .* [mµ]s/);
    assert.ok(await page.locator("section[aria-labelledby=h-rtt] rect").count() > 5);
    assert.ok((await column(page, "listeners", "Local")).includes("127.0.0.1:7004"));
    // A full accept queue comes first.
    assert.equal((await column(page, "listeners", "Fill"))[0].trim(), "125 %");
    // What a browser shows: the text inside a meter is not.
    assert.match(await page.locator("#listeners tbody tr").first().innerText(), /125 %/);
    const own = await page.textContent("#own");
    for (const figure of [/Updated [0-9:]+ UTC/, /Last scrape: [0-9,]+ sockets in [0-9.]+ ms/, /CPU time [0-9.]+ s/, /MiB/])
      assert.match(own, figure);
    assert.ok(!await page.isVisible("#tools"), "what needs a script is shown without");
    // All connections are sorted, by links.
    await page.click("#flows-send_queue_bytes");
    const queues = await numbers(page, "Send-Q");
    assert.ok(queues[0] > 1_000_000 && falls(queues), `${queues}`);
    assert.equal(await page.getAttribute("#flows th:has(#flows-send_queue_bytes)", "aria-sort"), "descending");
    assert.match(await page.getAttribute("#flows th:has(#flows-send_queue_bytes)", "title"), /acknowledged/);
    await page.click("nav.tabs a:has-text('Services')");
    const services = await column(page, "groups", "Name");
    assert.ok(services.includes("out 7001") && services.includes("in 7001"), `${services}`);
    await page.click("#groups td.name a:has-text('out 7001')");
    assert.equal(await page.inputValue("#filter"), "direction = outbound and dport = 7001");
    assert.ok((await column(page, "flows", "Remote")).every((remote) => remote.endsWith(":7001")));
    await page.click("#flows td.all a");
    const fields = await page.textContent("main");
    for (const field of ["rtt_seconds", "congestion_window", "sent_bytes_total", "remote_port7001", "The "])
      assert.ok(fields.includes(field), `no ${field} in ${fields}`);
    await page.goto(`${base}/?filter=${encodeURIComponent("dport = 1")}`);
    assert.match(await page.textContent("main"), /No connection matches the filter\. The last scrape saw [0-9,]+ sockets/);
    await page.click("main a:has-text('Show all connections')");
    await page.fill("#filter", "dport = :7001");
    await page.press("#filter", "Enter");
    await page.waitForURL(/filter=/);
    const filtered = await column(page, "flows", "Remote");
    assert.ok(filtered.length > 0 && filtered.every((remote) => remote.endsWith(":7001")), `${filtered}`);
    await leave();
  });

  await check("sockets of other protocols are lines", async () => {
    const { page, leave } = await visit(base, { javaScriptEnabled: false });
    for (const protocol of ["udp", "unix"]) {
      await page.goto(`${base}/?protocol=${protocol}`);
      const text = await page.textContent("#plain-scroll");
      const lines = text.trim().split("\n");
      assert.ok(lines.length > 2 && lines[0].startsWith("STATE") && !text.includes("\ufffd"), text);
      assert.match(await page.textContent("#h-plain"), new RegExp(`^All ${lines.length - 1} sockets$`));
    }
    await leave();
  });

  await check("names like tags are text, and run nothing", async () => {
    const { page, leave } = await visit(base);
    await page.goto(base);
    const owners = await column(page, "flows", "Process");
    for (const name of [TAG, QUOTE]) assert.ok(owners.some((owner) => owner.includes(`${name}(`)), `no ${name}: ${[...new Set(owners)]}`);
    if (hasUnit) {
      const units = await column(page, "flows", "Unit");
      assert.ok(units.some((unit) => unit.includes("<img src=x onerror=alert(1)>")), `${[...new Set(units)]}`);
    }
    await page.fill("#filter", "process = '<img src=x>'");
    await page.press("#filter", "Enter");
    await page.waitForURL(/filter=/);
    assert.ok(await refreshed(page));
    await page.goto(`${base}/?filter=${encodeURIComponent("\"><script>alert(1)</script>")}`);
    assert.equal(await page.locator("img, b, #ran, body > script:not(:last-child)").count(), 0);
    await leave();
  });

  await check("the same name as markup would run: the checks can fail", async () => {
    const { page, wrong } = await visit(base);
    await page.setContent("<img src=x: onerror=alert(1)>");
    await page.waitForTimeout(500);
    assert.ok(wrong.some((what) => what.startsWith("dialog")), `${wrong}`);
    await page.context().close();
    const other = await visit(base);
    await other.page.goto(base);
    await other.page.evaluate((name) => { document.querySelector("h1").innerHTML = name; }, TAG);
    await other.page.waitForFunction(() => window.violations.length > 0);
    await other.page.context().close();
  });

  await check("sorting and filtering by keyboard alone, kept by a refresh, with the focus", async () => {
    const { page, leave } = await visit(base);
    await page.goto(base);
    const sorted = () => page.getAttribute("#flows th:has(#flows-rtt_seconds)", "aria-sort");
    const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.textContent);
    await page.evaluate(() => { window.isSameDocument = true; });
    await page.locator("#flows-rtt_seconds").focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/sort=-rtt_seconds/);
    await page.waitForSelector("#flows th[aria-sort=descending]");
    assert.ok(falls(await numbers(page, "RTT")));
    assert.equal(await focused(), "flows-rtt_seconds");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#flows th[aria-sort=ascending]");
    assert.ok(falls((await numbers(page, "RTT")).reverse()));
    assert.ok(await refreshed(page), "no refresh");
    assert.equal(await sorted(), "ascending");
    assert.equal(await focused(), "flows-rtt_seconds");
    await page.goBack();
    await page.waitForSelector("#flows th[aria-sort=descending]");
    // From the settings on, the keyboard gets to every link.
    await page.locator("#pause").focus();
    const places = ["filter", "Processes", "flows-process", "flows-send_queue_bytes"];
    const reached = [];
    // A refresh takes the focus from a problem whose words change, and the way begins again.
    for (let step = 0; step < 120 && !places.every((place) => reached.includes(place)); step += 1) {
      await page.keyboard.press("Tab");
      reached.push(await focused());
    }
    for (const place of places) assert.ok(reached.includes(place), `${place} is not reached: ${reached}`);
    await page.locator("#flows td.state a").first().focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/filter=state/);
    await page.waitForFunction(() => document.querySelector("#filter").value.startsWith("state "));
    assert.ok(await page.evaluate(() => window.isSameDocument), "a link has loaded another document");
    await leave();
  });

  await check("the text to find, the scroll position and the settings are kept, and the last minutes are drawn", async () => {
    const { page, leave } = await visit(base);
    await page.goto(base);
    await page.selectOption("#every", "1");
    await page.locator("#narrow").fill(":7001");
    const rows = await column(page, "flows", "Local");
    assert.ok(rows.length > 0 && rows.length < 20, `${rows.length} rows`);
    assert.ok(await refreshed(page));
    assert.equal(await page.inputValue("#narrow"), ":7001");
    assert.equal(await page.evaluate(() => document.activeElement.id), "narrow");
    assert.ok((await column(page, "flows", "Local")).length < 20);
    await page.locator("#narrow").fill("");
    await page.evaluate(() => scrollTo(0, 900));
    assert.ok(await refreshed(page));
    assert.equal(await page.evaluate(() => scrollY), 900);
    // The head of the table is still there.
    assert.ok(await page.$eval("#flows thead th", (head) => head.getBoundingClientRect().top === 0), "the head scrolls away");
    assert.equal(await page.locator(".totals polyline").count(), 5);

    await page.locator("#pause").click();
    assert.equal(await page.textContent("#pause"), "Resume");
    assert.ok(!await refreshed(page, 4500), "refreshed although stopped");
    await page.reload();
    assert.equal(await page.textContent("#pause"), "Resume");
    assert.equal(await page.inputValue("#every"), "1");
    assert.equal(await page.locator(".totals polyline").count(), 5);
    await page.locator("#pause").click();
    assert.ok(await refreshed(page), "does not go on");
    await leave();
  });

  await check("a filter in the language of ss, and what is said of a wrong one", async () => {
    const { page, leave } = await visit(base);
    await page.goto(base);
    await page.fill("#filter", "( dport = :7001 or sport = :7001 ) and process = python3");
    await page.click("form button");
    await page.waitForURL(/filter=/);
    assert.ok(await refreshed(page));
    const ends = (await column(page, "flows", "Remote")).map((remote) => remote.endsWith(":7001"));
    assert.ok(ends.length > 0 && ends.length < 20 && !ends.includes(false), `${ends}`);
    assert.equal(await page.inputValue("#filter"), "( dport = :7001 or sport = :7001 ) and process = python3");
    await page.fill("#filter", "dport is :7001");
    await page.press("#filter", "Enter");
    await page.waitForSelector(".warnings");
    assert.match(await page.textContent(".warnings"), /The filter is not valid: at .*expected: /);
    assert.equal(await page.inputValue("#filter"), "dport is :7001");
    await leave();
  });

  await check("a password in the address does not keep it from refreshing", async () => {
    const { page, leave } = await visit(base);
    await page.goto(base.replace("http://", "http://user:password@"));
    assert.ok(await refreshed(page));
    assert.equal(await page.textContent("#status"), "");
    await leave();
  });

  for (const colorScheme of ["light", "dark"]) {
    for (const [device, viewport] of [["desktop", { width: 1280, height: 800 }], ["phone", { width: 390, height: 844 }]]) {
      await check(`${device}, ${colorScheme}: it fits, and axe finds nothing`, async () => {
        const { page, leave } = await visit(base, { colorScheme, viewport });
        await page.goto(base);
        assert.ok(await fits(page), "the page scrolls sideways");
        // The first connections are on the first screen.
        const third = page.locator("#flows tbody tr").nth(2);
        const bottom = await third.evaluate((row) => row.getBoundingClientRect().bottom);
        assert.ok(bottom <= viewport.height, `the third connection ends at ${bottom}`);
        const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        assert.equal(background === "rgb(255, 255, 255)", colorScheme === "light");
        await page.screenshot({ path: `${folder}/${device}-${colorScheme}.png` });
        await page.evaluate(axe);
        const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"];
        const judge = async () => (await page.evaluate((values) => window.axe.run({ runOnly: values }), tags)).violations
          .map((rule) => `${rule.id}: ${rule.help}: ${rule.nodes[0].html}`);
        await page.locator("#pause").click();
        assert.deepEqual(await judge(), []);
        for (const [query, what] of [["filter=dport", "a wrong filter"], ["group=process", "a group"],
          ["filter=dport+%3D+7001&details=1", "details"], ["filter=dport+%3D+1", "nothing"]]) {
          await page.goto(`${base}/?${query}`);
          assert.ok(await fits(page), `${what} scrolls sideways`);
          await page.screenshot({ path: `${folder}/${device}-${colorScheme}-${what.replace(/.* /, "")}.png` });
          await page.evaluate(axe);
          assert.deepEqual(await judge(), [], what);
        }
        await leave();
      });
    }
  }
};

const strangers = async (closed, open, outside) => {
  const status = async (page, url) => (await page.goto(url)).status();
  await check("a foreign name for this host is refused", async () => {
    const base = `http://evil.test:${closed}`;
    const { page } = await visit(base);
    for (const path of ["/", "/api/v1/sockets"]) assert.equal(await status(page, base + path), 421, path);
    assert.equal(await status(page, `http://localhost:${closed}/`), 200);
    await page.context().close();
  });
  await check("from another address there is the page of links, and no list of sockets", async () => {
    const base = `http://${outside}:${closed}`;
    const { page, leave } = await visit(base);
    assert.equal(await status(page, base), 200);
    assert.equal(await page.locator("#flows").count(), 0);
    assert.ok(await page.locator("a[href='/metrics']").count() > 0);
    await leave();
    const answer = await fetch(`${base}/api/v1/sockets`);
    assert.equal(answer.status, 403);
    assert.match(await answer.text(), /--web\.enable-sockets-api/);
  });
  await check("unless it is allowed", async () => {
    const base = `http://${outside}:${open}`;
    const { page, leave } = await visit(base);
    assert.equal(await status(page, base), 200);
    assert.ok(await page.locator("#flows tbody tr").count() > 5);
    assert.ok(await refreshed(page));
    await leave();
    const answer = await fetch(`${base}/api/v1/sockets?limit=2&sort=-sent_bytes_per_second`);
    assert.equal(answer.status, 200);
    assert.equal((await answer.json()).sockets.length, 2);
    assert.equal(await (await fetch(`http://evil.test:${open}/`).catch(() => ({ status: 0 }))).status, 0);
    const { page: foreign } = await visit(`http://evil.test:${open}`);
    assert.equal(await status(foreign, `http://evil.test:${open}/`), 421);
    await foreign.context().close();
  });
};

/** CPU seconds of a process so far, in the hundredths that the kernel counts. */
const cpu = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

const many = async (base, pid) => {
  const painted = async (address, name) => check(`${name} of 10,000 flows is painted`, async () => {
    for (let round = 1; round <= 3; round += 1) {
      const { page, leave } = await visit(base);
      await page.goto(address(round));
      await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length > 0);
      const [answered, shown] = await page.evaluate(() => [performance.getEntriesByType("navigation")[0].responseEnd,
        performance.getEntriesByName("first-contentful-paint")[0].startTime]);
      const flows = Number(await page.textContent(".totals div:nth-child(3) dd"));
      assert.ok(flows >= 10_000, `only ${flows} flows`);
      console.log(`  ${flows} flows: answered after ${Math.round(answered)} ms, painted after ${Math.round(shown)} ms`);
      await leave();
      await new Promise((resolve) => { setTimeout(resolve, 1500); });
    }
  });
  // Each filter is another look, and so the first of its own.
  await painted((round) => `${base}/?filter=${encodeURIComponent(`sport != :${round}`)}`, "a first page");
  await painted(() => base, "a page asked for again");
  await check("a refresh costs at most three scrapes", async () => {
    const cost = async (path) => {
      const before = cpu(pid);
      for (let round = 0; round < 10; round += 1) {
        const answer = await fetch(base + path);
        assert.equal(answer.status, 200);
        await answer.text();
        await new Promise((resolve) => { setTimeout(resolve, 1100); });
      }
      return (cpu(pid) - before) * 100;
    };
    const [scrape, page] = [await cost("/metrics"), await cost("/")];
    const ratio = page / Math.max(scrape, 1);
    console.log(`  CPU: a scrape ${scrape.toFixed(0)} ms, a page ${page.toFixed(0)} ms, ratio ${ratio.toFixed(2)}`);
    assert.ok(ratio <= 3);
  });
};

const [what, ...rest] = process.argv.slice(2);
await ({ looks, strangers, many })[what](...rest);
await browser.close();
